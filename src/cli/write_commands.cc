// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/kind.h"
#include "cli/labels.h"
#include "cli/pool_flags.h"
#include "cli/prediction_flags.h"
#include "cli/render.h"

namespace gnomon {
namespace {

struct NetworkArgs {
  std::string name, account;
  std::optional<int64_t> vni, warm_target;
  PredictionFlags prediction;
};

struct PoolArgs {
  std::string name, prefix;
  PoolFlags flags;
};

struct HostArgs {
  std::string name, physical_address;
};

struct InstanceArgs {
  std::string id, type, zone, host, mac, address, pool;
  std::vector<std::string> labels, families;
  std::optional<int64_t> block_length;
};

struct ReleaseArgs {
  std::string id, preserve, generation;
};

struct DeleteArgs {
  const Kind* kind;
  std::string name;
};

struct ReassignArgs {
  std::string id, address;
};

struct PredictArgs {
  std::string type, horizon, zone, host, source, id;
  int64_t count = 0;
  std::optional<double> vcpu, memory_gb;
  bool additive = false;
};

void SetText(JsonObject* body, std::string_view name, const std::string& value) {
  if (!value.empty()) (*body)[boost::json::string_view(name.data(), name.size())] = value;
}

void SetTexts(JsonObject* body, std::string_view name, const std::vector<std::string>& values) {
  if (!values.empty())
    (*body)[boost::json::string_view(name.data(), name.size())] = JsonArray(values.begin(), values.end());
}

absl::Status RunCreateNetwork(Session& session, const NetworkArgs& args) {
  JsonObject body = {{"name", args.name}, {"account", args.account}};
  SetGiven(&body, "vni", args.vni);
  SetGiven(&body, "warm_target", args.warm_target);
  SetGiven(&body, args.prediction);
  return Put(session, "POST", "/v1/networks", body, "network");
}

absl::Status RunCreatePool(Session& session, const PoolArgs& args) {
  JsonObject body = {{"name", args.name}, {"prefix", args.prefix}};
  SetGiven(&body, args.flags);
  return Put(session, "POST", ApiPath({"v1", "networks", session.flags().network, "pools"}), body, "pool");
}

absl::Status RunCreateHost(Session& session, const HostArgs& args) {
  return Put(session, "PUT", ApiPath({"v1", "hosts", args.name}), {{"physical_address", args.physical_address}},
             "host");
}

absl::Status RunAllocate(Session& session, const InstanceArgs& args) {
  session.ConcernsInstance(args.id);
  JsonObject body = {{"id", args.id}, {"type", args.type}};
  for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>{"zone", args.zone},
                                    {"host", args.host},
                                    {"mac", args.mac},
                                    {"address", args.address},
                                    {"pool", args.pool}}) {
    SetText(&body, name, value);
  }
  SetTexts(&body, "families", args.families);
  SetGiven(&body, "block_length", args.block_length);
  if (!args.labels.empty()) {
    GNOMON_ASSIGN_OR_RETURN(body["labels"], ParseLabels(args.labels));
  }
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_ASSIGN_OR_RETURN(JsonValue instance,
                          api->Call("POST", ApiPath({"v1", "networks", session.flags().network, "instances"}), body));
  if (session.flags().output == "name") {  // for scripts: the addresses alone
    for (const JsonValue& address :
         Member(instance, "addresses").is_array() ? Member(instance, "addresses").get_array() : JsonArray{instance}) {
      session.out() << Cell(address, "address") << "\n";
    }
    return absl::OkStatus();
  }
  PrintObject(session, "instance", instance);
  return absl::OkStatus();
}

absl::Status RunRelease(Session& session, const ReleaseArgs& args) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer,
                          api->Delete(ApiPath({"v1", "networks", session.flags().network, "instances", args.id},
                                              {{"preserve", args.preserve}, {"generation", args.generation}})));
  const JsonValue& released = Member(answer, "released");
  if (WantsData(session)) {
    PrintData(session, answer);
  } else if (!released.is_array() || released.get_array().empty()) {
    session.err() << "nothing to release: network " << session.flags().network << " has no instance " << args.id
                  << "\n";
  } else {
    PrintList(session, KindNamed("address"), released.get_array());
  }
  return absl::OkStatus();
}

absl::Status RunDelete(Session& session, const DeleteArgs& args) {
  if (args.kind->singular == "instance")
    return RunRelease(session, {.id = args.name, .preserve = {}, .generation = {}});
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  std::string path = ApiPath(KindSegments(*args.kind, session.flags().network, args.name));
  if (args.kind->singular == "network") session.Concerns(args.name);
  GNOMON_RETURN_IF_ERROR(api->Delete(path).status());
  session.err() << args.kind->singular << " " << args.name << " deleted\n";
  return absl::OkStatus();
}

absl::Status RunReassign(Session& session, const ReassignArgs& args) {
  std::string path = ApiPath({"v1", "networks", session.flags().network, "instances", args.id + ":reassign"});
  return Put(session, "POST", path, {{"address", args.address}}, "instance");
}

absl::Status RunPredict(Session& session, const PredictArgs& args) {
  JsonObject prediction = {{"type", args.type}, {"count", args.count}, {"horizon", args.horizon}};
  SetText(&prediction, "zone", args.zone);
  SetText(&prediction, "host", args.host);
  if (args.additive) prediction["additive"] = true;
  JsonObject resources;
  SetGiven(&resources, "vcpu", args.vcpu);
  SetGiven(&resources, "memory_gb", args.memory_gb);
  if (!resources.empty()) prediction["resources"] = std::move(resources);
  JsonObject body = {{"network", session.flags().network}};
  SetText(&body, "source", args.source);
  SetText(&body, "id", args.id);
  body["predictions"] = JsonArray{std::move(prediction)};
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_ASSIGN_OR_RETURN(JsonValue answer, api->Call("POST", "/v1/predict_instances", body));
  const std::string& form = session.flags().output;
  if (form == "name") {
    session.out() << TextMember(answer, "id") << "\n";
  } else if (form != "table") {
    PrintData(session, answer);
  } else if (Member(answer, "predictions").is_array()) {
    PrintTable({{"TYPE", "type"},
                {"ZONE", "zone"},
                {"HOST", "host"},
                {"TARGET", "target"},
                {"HELD", "held"},
                {"RESERVED", "reserved"},
                {"RECLAIMED", "reclaimed"},
                {"SHORTFALL", "shortfall"},
                {"REASON", "reason"}},
               Member(answer, "predictions").get_array(), session.colored(), session.out());
  }
  return absl::OkStatus();
}

void AddCreate(CommandTree& tree) {
  CLI::App* create = tree.root.add_subcommand("create", "Create a network, a pool or a host");
  create->require_subcommand(1);
  auto network = std::make_shared<NetworkArgs>();
  CLI::App* command = create->add_subcommand("network", "Create a network");
  command->add_option("name", network->name, "Its name")->required();
  command->add_option("--account", network->account, "The account that owns it")->required();
  command->add_option("--vni", network->vni, "Its VNI, 1 to 16777215");
  command->add_option("--warm-target", network->warm_target, "Shadows to hold for each type");
  AddPredictionFlags(command, &network->prediction);
  OnRun(command, tree, network, &RunCreateNetwork);

  auto pool = std::make_shared<PoolArgs>();
  command = create->add_subcommand("pool", "Create a pool in a network");
  command->add_option("name", pool->name, "Its name")->required();
  AddNetworkFlag(command, tree);
  command->add_option("--prefix", pool->prefix, "As 10.0.0.0/16")->required();
  AddPoolFlags(command, &pool->flags);
  OnRun(command, tree, pool, &RunCreatePool);

  auto host = std::make_shared<HostArgs>();
  command = create->add_subcommand("host", "Make a host's physical address known");
  command->add_option("name", host->name, "Its name")->required();
  command->add_option("--physical-address", host->physical_address, "Where its traffic goes")->required();
  OnRun(command, tree, host, &RunCreateHost);
}

void AddDelete(CommandTree& tree) {
  CLI::App* remove = tree.root.add_subcommand("delete", "Delete an object; of an address, end its preservation");
  remove->require_subcommand(1);
  for (std::string_view name : {"network", "pool", "instance", "address", "host"}) {
    auto args = std::make_shared<DeleteArgs>();
    args->kind = &KindNamed(name);
    CLI::App* command = remove->add_subcommand(std::string(name), absl::StrCat("Delete one ", AbslView(name)));
    command->alias(std::string(args->kind->plural))->alias(std::string(args->kind->alias));
    command->add_option("name", args->name, "Its name, id or address")->required();
    if (args->kind->in_network) AddNetworkFlag(command, tree);
    OnRun(command, tree, args, &RunDelete);
  }
}

void AddInstances(CommandTree& tree) {
  auto args = std::make_shared<InstanceArgs>();
  CLI::App* allocate = tree.root.add_subcommand("allocate", "Give an instance its address; again, the same one");
  allocate->add_option("id", args->id, "The instance's id")->required();
  AddNetworkFlag(allocate, tree);
  allocate->add_option("--type", args->type, "Its type")->required();
  allocate->add_option("--zone", args->zone, "Its zone");
  allocate->add_option("--host", args->host, "Its host");
  allocate->add_option("--label", args->labels, "As env=prod; may be repeated");
  allocate->add_option("--mac", args->mac, "Its MAC, if it has one already");
  allocate->add_option("--address", args->address, "This address and no other");
  allocate->add_option("--pool", args->pool, "From this pool");
  allocate->add_option("--family", args->families, "ipv4, ipv6 or both")
      ->delimiter(',')
      ->check(CLI::IsMember({"ipv4", "ipv6"}));
  allocate->add_option("--block-length", args->block_length, "A whole block, as 28");
  OnRun(allocate, tree, args, &RunAllocate);

  auto release_args = std::make_shared<ReleaseArgs>();
  CLI::App* release = tree.root.add_subcommand("release", "End an instance's assignment");
  release->add_option("id", release_args->id, "The instance's id")->required();
  AddNetworkFlag(release, tree);
  release->add_option("--preserve", release_args->preserve, "Keep its address for the account so long, as 24h");
  release->add_option("--generation", release_args->generation, "Only if the assignment is still this one");
  OnRun(release, tree, release_args, &RunRelease);

  auto reassign_args = std::make_shared<ReassignArgs>();
  CLI::App* reassign = tree.root.add_subcommand("reassign", "Put a preserved address on an instance");
  reassign->add_option("id", reassign_args->id, "The instance's id")->required();
  reassign->add_option("address", reassign_args->address, "The preserved address")->required();
  AddNetworkFlag(reassign, tree);
  OnRun(reassign, tree, reassign_args, &RunReassign);
}

void AddPredict(CommandTree& tree) {
  auto args = std::make_shared<PredictArgs>();
  CLI::App* predict = tree.root.add_subcommand("predict", "Announce instances, so that shadows are held for them");
  AddNetworkFlag(predict, tree);
  predict->add_option("--type", args->type, "Their type")->required();
  predict->add_option("--count", args->count, "How many")->required();
  predict->add_option("--horizon", args->horizon, "Until when, as 15m")->required();
  predict->add_option("--zone", args->zone, "In this zone");
  predict->add_option("--host", args->host, "On this host");
  predict->add_option("--source", args->source, "Who predicts; the caller if not given");
  predict->add_option("--id", args->id, "The prediction's id; a fresh one if not given");
  predict->add_option("--vcpu", args->vcpu, "Processors expected of each");
  predict->add_option("--memory-gb", args->memory_gb, "Memory expected of each");
  predict->add_flag("--additive", args->additive, "Added to what other sources predict");
  OnRun(predict, tree, args, &RunPredict);
}

}  // namespace

absl::Status Put(Session& session, std::string_view method, const std::string& path, const JsonObject& body,
                 std::string_view singular) {
  GNOMON_ASSIGN_OR_RETURN(ApiClient * api, session.Api());
  GNOMON_ASSIGN_OR_RETURN(JsonValue object, api->Call(method, path, body));
  PrintObject(session, singular, object);
  return absl::OkStatus();
}

void AddWriteCommands(CommandTree& tree) {
  AddCreate(tree);
  AddDelete(tree);
  AddInstances(tree);
  AddPredict(tree);
}

}  // namespace gnomon
