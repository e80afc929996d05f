// SPDX-License-Identifier: Apache-2.0
#include "signals/policy_reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "base/text.h"
#include "signals/policy_families.h"

namespace gnomon {
namespace {

constexpr size_t kMaxListDepth = 4;

DocumentNode Member(std::string name, DocumentNode value) {
  DocumentNode map;
  map.kind = DocumentNode::Kind::kMap;
  map.line = value.line;
  map.members.emplace_back(std::move(name), std::move(value));
  return map;
}

// One text on its way to its policies.
class Reading {
 public:
  explicit Reading(const PolicyText& from) : from_(from) {}

  absl::Status Take(const DocumentNode& document, size_t depth);
  PoliciesRead TakeResult() { return std::move(result_); }

 private:
  absl::Status TakeAws(const DocumentNode& document);
  absl::Status TakeAwsAlone(const DocumentNode& document);
  // Reads one policy by `read(DocumentFields&, ScalingPolicy*)`; `document`: what reads back as it.
  template <typename Read>
  absl::Status One(const DocumentNode& node, const std::string& path, const DocumentNode& document, Read read);
  template <typename Read>
  absl::Status Each(const DocumentNode& document, const std::string& list, const std::string& group, Read read);

  const PolicyText& from_;
  PoliciesRead result_;
  std::set<std::string> names_;
};

template <typename Read>
absl::Status Reading::One(const DocumentNode& node, const std::string& path, const DocumentNode& document, Read read) {
  ReadContext context{.file = from_.file, .status = absl::OkStatus()};
  ScalingPolicy policy;
  DocumentFields fields(node, path, &context);
  read(fields, &policy);
  GNOMON_RETURN_IF_ERROR(context.status);
  if (!from_.type.empty()) policy.type = from_.type;
  auto wrong = [&](std::string_view what, const std::string& name) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY",
                 absl::StrCat(from_.file, ":", node.line, ": the ", AbslView(what), " \"", Excerpt(name), "\" is not a name"))
        .Value(Excerpt(name))
        .Hint("use 1 to 128 letters, digits, and the characters . _ ~ -");
  };
  if (!IsName(policy.name)) return wrong("policy's name", policy.name);
  if (!IsName(policy.type)) return wrong("type", policy.type).Field("type");
  if (!names_.insert(policy.name).second) {
    return Error(absl::StatusCode::kInvalidArgument, "POLICY_TWICE",
                 absl::StrCat(from_.file, ":", node.line, ": ", policy.name, " is there twice"))
        .Value(policy.name)
        .Hint("apply each policy once");
  }
  policy.unknown = std::move(context.unknown);
  policy.document = ToJson(document);
  result_.policies.push_back(std::move(policy));
  return absl::OkStatus();
}

template <typename Read>
absl::Status Reading::Each(const DocumentNode& document, const std::string& list, const std::string& group, Read read) {
  ReadContext context{.file = from_.file, .status = absl::OkStatus()};
  DocumentFields fields(document, "", &context);
  const std::vector<DocumentFields> items = fields.List(list);
  GNOMON_RETURN_IF_ERROR(context.status);
  for (size_t i = 0; i < items.size(); ++i) {
    DocumentNode one;
    one.kind = DocumentNode::Kind::kList;
    one.items.push_back(items[i].node());
    DocumentNode whole = Member(list, std::move(one));
    if (!group.empty()) {
      DocumentNode name;
      name.kind = DocumentNode::Kind::kScalar;
      name.quoted = true;
      name.text = group;
      whole.members.emplace_back("AutoScalingGroupName", std::move(name));
    }
    GNOMON_RETURN_IF_ERROR(One(items[i].node(), absl::StrCat(list, "[", i, "]"), whole, read));
  }
  return absl::OkStatus();
}

absl::Status Reading::Take(const DocumentNode& document, size_t depth) {
  const DocumentNode* const kind = document.Find("kind");
  if (kind == nullptr) return TakeAws(document);
  if (kind->text == "List" || document.Find("items") != nullptr) {
    const DocumentNode* const items = document.Find("items");
    if (items == nullptr || depth == kMaxListDepth) return absl::OkStatus();
    for (const DocumentNode& item : items->items) GNOMON_RETURN_IF_ERROR(Take(item, depth + 1));
    return absl::OkStatus();
  }
  if (IsKubernetesPolicy(kind->text)) {
    const std::string name = kind->text;
    return One(document, "", document, [&](DocumentFields& fields, ScalingPolicy* policy) { ReadKubernetesPolicy(name, fields, policy); });
  }
  const DocumentNode* const metadata = document.Find("metadata");
  const DocumentNode* const name = metadata == nullptr ? nullptr : metadata->Find("name");
  result_.passed_over.push_back(
      absl::StrCat(absl::AsciiStrToLower(Excerpt(kind->text)), "/", name == nullptr ? "" : Excerpt(name->text)));
  return absl::OkStatus();
}

absl::Status Reading::TakeAws(const DocumentNode& document) {
  const DocumentNode* const group_name = document.Find("AutoScalingGroupName");
  const std::string group = group_name == nullptr ? "" : group_name->text;
  auto read_action = [group](DocumentFields& item, ScalingPolicy* policy) { ReadScheduledAction(item, group, policy); };
  if (document.Find("AutoScalingGroups") != nullptr) return Each(document, "AutoScalingGroups", "", ReadGroup);
  if (document.Find("ScalingPolicies") != nullptr) return Each(document, "ScalingPolicies", "", ReadScalingPolicy);
  if (document.Find("ScheduledUpdateGroupActions") != nullptr) {
    return Each(document, "ScheduledUpdateGroupActions", group, read_action);
  }
  if (document.Find("ScheduledActionName") != nullptr) return One(document, "", document, read_action);
  if (document.Find("PolicyName") != nullptr) return One(document, "", document, ReadScalingPolicy);
  if (!group.empty()) return One(document, "", document, ReadGroup);
  return TakeAwsAlone(document);
}

// A configuration by itself, as files of the documentation are, is of the group whose name is the type that is given.
absl::Status Reading::TakeAwsAlone(const DocumentNode& document) {
  const bool predictive = document.Find("MetricSpecifications") != nullptr;
  if (!predictive && document.Find("TargetValue") == nullptr) {
    std::vector<std::string_view> seen;
    for (const auto& [name, value] : document.members) seen.push_back(name);
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY",
                 absl::StrCat(from_.file, ":", document.line, ": this is no policy that is known here",
                              seen.empty() ? "" : absl::StrCat("; its first member is \"", Excerpt(seen.front()), "\"")))
        .Hint("send a HorizontalPodAutoscaler, a Deployment, a ScaledObject, or what the AWS command line prints or takes");
  }
  if (from_.type.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY",
                 absl::StrCat(from_.file, ":", document.line, ": nothing here says of which instances it is"))
        .Field("type")
        .Hint("give the type, with --type or as \"type\"");
  }
  return One(document, "", document, [&](DocumentFields& fields, ScalingPolicy* policy) {
    policy->kind = PolicyKind::kScalingPolicy;
    policy->group = from_.type;
    const std::string name = predictive ? "predictive" : "target-tracking";
    policy->name = absl::StrCat("scaling-policy.", from_.type, ".", name);
    policy->title = absl::StrCat("scaling-policy/", name);
    predictive ? ReadPredictive(fields, policy) : ReadTargetTracking(fields, policy);
  });
}

}  // namespace

void ReadCron(DocumentFields& fields, std::string_view name, std::optional<CronSchedule>* schedule) {
  const std::optional<std::string> text = fields.Text(name);
  if (!text) return;
  absl::StatusOr<CronSchedule> parsed = CronSchedule::Parse(*text);
  if (!parsed.ok()) {
    const std::string message(parsed.status().message());  // it begins with the value
    return fields.Fail(name, message.substr(std::min(message.find("is no "), message.size())), PartsOf(parsed.status()).hint);
  }
  *schedule = *std::move(parsed);
}

void ReadZone(DocumentFields& fields, std::string_view name, Zone* zone) {
  const std::optional<std::string> text = fields.Text(name);
  if (!text) return;
  absl::StatusOr<Zone> found = Zone::Find(*text);
  if (!found.ok()) return fields.Fail(name, "is no time zone", PartsOf(found.status()).hint);
  *zone = *std::move(found);
}

absl::StatusOr<PoliciesRead> ReadPolicies(const PolicyText& from) {
  absl::StatusOr<std::vector<DocumentNode>> documents = ParseDocuments(from.text);
  if (!documents.ok()) {
    return Error(documents.status()).Message(absl::StrCat(from.file, ":", documents.status().message()));
  }
  Reading reading(from);
  for (const DocumentNode& document : *documents) GNOMON_RETURN_IF_ERROR(reading.Take(document, 0));
  PoliciesRead read = reading.TakeResult();
  if (!read.policies.empty()) return read;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_POLICY", absl::StrCat(from.file, ": there is no policy in it"))
      .Hint("send a HorizontalPodAutoscaler, a Deployment, a ScaledObject, or what the AWS command line prints or takes");
}

}  // namespace gnomon
