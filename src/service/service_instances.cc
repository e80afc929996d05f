// SPDX-License-Identifier: Apache-2.0
//
// Instances, addresses, predictions and watches.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"
#include "ipam/refusals.h"
#include "service/service.h"

namespace gnomon {
namespace {

absl::Status CheckAccount(const NetworkEntry& entry, std::string_view account) {
  if (account.empty() || account == entry.account) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "ACCOUNT_DIFFERS",
               absl::StrCat("network ", entry.name, " is of account ", entry.account))
      .Field("account")
      .Value(account)
      .Hint("leave it out, or name the network's account");
}

// How many steps of Fill go in one turn of the shard: together a few thousand records, so that others need not wait long.
constexpr int kFillsATurn = 32;

// Records that one page looks at before it is returned short of its size.
constexpr size_t kPageBudget = 1u << 20;

// `partner`: of a dual-stack instance that is listed once, its other address; nullptr without one.
bool Matches(const ListCall& call, const RecordView& view, const RecordView* partner) {
  const AddressRecord& record = view.record;
  if ((call.states >> static_cast<int>(record.state) & 1) == 0) return false;
  if (call.instances && record.partner && !record.address.IsV4()) return false;
  const bool in_pool = call.pool.empty() || call.pool == view.pool || (partner != nullptr && call.pool == partner->pool);
  return in_pool && (call.type.empty() || call.type == record.type) &&
         (call.zone.empty() || call.zone == record.place.zone) && (call.host.empty() || call.host == record.place.host);
}

}  // namespace

RecordView Service::ViewOf(const AddressRecord& record, const PoolConfig* pool) const {
  RecordView view{.record = OwnedRecord(record)};
  if (pool != nullptr) {
    view.pool = pool->name;
    view.pool_length = pool->prefix.length();
    view.gateway = pool->gateway;
  }
  if (!record.place.host.empty()) view.physical_address = directory_.PhysicalAddressOf(record.place.host);
  return view;
}

RecordView Service::ViewIn(const Network& network, const AddressRecord& record) const {
  const Pool* pool = network.FindPool(record.pool);
  return ViewOf(record, pool == nullptr ? nullptr : &pool->config());
}

InstanceView Service::ViewOf(const Network& network, const Assignment& assignment) const {
  InstanceView view{.created = assignment.created, .hit = assignment.hit, .revision = network.revision()};
  for (const AddressRecord& record : assignment.addresses) view.addresses.push_back(ViewIn(network, record));
  return view;
}

absl::Duration Service::StartOfCreation() const {
  return options_.metrics == nullptr ? absl::ZeroDuration() : clock_->Monotonic();
}

void Service::CreationEnded(const ListedNetwork& network, absl::Duration start, const absl::Status& status,
                            absl::Span<const InstanceView> views) const {
  if (!status.ok() && options_.metrics != nullptr) options_.metrics->CountCreationFailure(CodeOf(status));
  for (const InstanceView& view : views) {
    if (!view.created) continue;
    const std::string type(view.addresses[0].record.type);
    if (options_.metrics != nullptr) {
      network.metrics->CountCreation(type, view.hit);
      options_.metrics->ObserveCreation(start, view.hit);
    }
    if (on_creation_) on_creation_({network, type, view.hit});
  }
}

void Service::CreateInstance(CreateInstanceCall call, Reply<InstanceView> reply) {
  std::shared_ptr<const ListedNetwork> entry = directory_.FindNetwork(call.network);
  if (entry == nullptr) return reply(NetworkNotFound(call.network));
  if (absl::Status account = CheckAccount(*entry, call.account); !account.ok()) return reply(account);
  OnNetwork<InstanceView>(
      entry->name,
      [this, request = std::move(call.request)](Network& network, absl::Time now,
                                                Changes* changes) -> absl::StatusOr<InstanceView> {
        absl::StatusOr<Assignment> got = network.Create(now, request, changes);
        if (!got.ok()) return got.status();
        return ViewOf(network, *got);
      },
      [this, entry, start = StartOfCreation(), reply = std::move(reply)](absl::StatusOr<InstanceView> view) mutable {
        CreationEnded(*entry, start, view.status(), view.ok() ? absl::MakeConstSpan(&*view, 1) : absl::Span<InstanceView>());
        reply(std::move(view));
      });
}

void Service::CreateInstances(std::string_view network, std::vector<CreateInstanceCall> calls,
                              Reply<std::vector<InstanceView>> reply) {
  std::shared_ptr<const ListedNetwork> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  std::vector<CreateRequest> requests;
  for (CreateInstanceCall& call : calls) {
    if (absl::Status account = CheckAccount(*entry, call.account); !account.ok()) return reply(account);
    requests.push_back(std::move(call.request));
  }
  OnNetwork<std::vector<InstanceView>>(
      network,
      [this, requests = std::move(requests)](Network& one, absl::Time now,
                                             Changes* changes) -> absl::StatusOr<std::vector<InstanceView>> {
        absl::StatusOr<std::vector<Assignment>> got = one.CreateBatch(now, requests, changes);
        if (!got.ok()) return got.status();
        std::vector<InstanceView> views;
        for (const Assignment& assignment : *got) views.push_back(ViewOf(one, assignment));
        return views;
      },
      [this, entry, start = StartOfCreation(),
       reply = std::move(reply)](absl::StatusOr<std::vector<InstanceView>> views) mutable {
        CreationEnded(*entry, start, views.status(), views.ok() ? *views : absl::Span<const InstanceView>());
        reply(std::move(views));
      });
}

void Service::GetInstance(std::string_view network, std::string instance, Reply<InstanceView> reply) {
  OnNetwork<InstanceView>(
      network,
      [this, instance = std::move(instance)](Network& one, absl::Time, Changes*) -> absl::StatusOr<InstanceView> {
        Assignment found{.addresses = one.Find(instance)};
        if (found.addresses.empty()) return InstanceNotFound(instance);
        found.hit = found.addresses[0].from_shadow;
        return ViewOf(one, found);
      },
      std::move(reply));
}

void Service::UpdateInstance(std::string_view network, UpdateRequest request, Reply<InstanceView> reply) {
  OnNetwork<InstanceView>(
      network,
      [this, request = std::move(request)](Network& one, absl::Time, Changes* changes) -> absl::StatusOr<InstanceView> {
        absl::StatusOr<Records> records = one.Update(request, changes);
        if (!records.ok()) return records.status();
        const bool hit = records->front().from_shadow;
        return ViewOf(one, Assignment{.addresses = *std::move(records), .hit = hit});
      },
      std::move(reply));
}

void Service::ReleaseInstance(std::string_view network, ReleaseRequest request, Reply<std::vector<RecordView>> reply) {
  OnNetwork<std::vector<RecordView>>(
      network,
      [this, request = std::move(request)](Network& one, absl::Time now,
                                           Changes* changes) -> absl::StatusOr<std::vector<RecordView>> {
        absl::StatusOr<Records> records = one.Release(now, request, changes);
        if (!records.ok()) return records.status();
        std::vector<RecordView> views;
        for (const AddressRecord& record : *records) views.push_back(ViewIn(one, record));
        return views;
      },
      std::move(reply));
}

void Service::ReassignInstance(std::string_view network, std::string instance, Ip address, Reply<InstanceView> reply) {
  OnNetwork<InstanceView>(
      network,
      [this, instance = std::move(instance), address](Network& one, absl::Time now,
                                                      Changes* changes) -> absl::StatusOr<InstanceView> {
        absl::StatusOr<Assignment> got = one.Reassign(now, instance, address, changes);
        if (!got.ok()) return got.status();
        return ViewOf(one, *got);
      },
      std::move(reply));
}

void Service::List(ListCall call, Reply<RecordPage> reply) {
  const std::string network = call.network;
  call.page_size = std::clamp<size_t>(call.page_size, 1, kMaxPage);
  OnNetwork<RecordPage>(
      network,
      [this, call = std::move(call)](Network& one, absl::Time, Changes*) -> absl::StatusOr<RecordPage> {
        if (!call.pool.empty()) GNOMON_RETURN_IF_ERROR(FindPool(one, call.pool).status());
        RecordPage page{.revision = one.revision()};
        page.next = one.Visit(call.from, kPageBudget, [&](const AddressRecord& record) {
          RecordView view = ViewIn(one, record);
          std::optional<RecordView> partner;
          if (call.instances && record.partner) partner = ViewIn(one, *one.Describe(*record.partner));
          if (Matches(call, view, partner ? &*partner : nullptr)) {
            page.groups.push_back({std::move(view)});
            if (partner) page.groups.back().push_back(*std::move(partner));
          }
          return page.groups.size() < call.page_size;
        });
        return page;
      },
      std::move(reply));
}

void Service::GetAddress(std::string_view network, Ip address, Reply<RecordView> reply) {
  OnNetwork<RecordView>(
      network,
      [this, address](Network& one, absl::Time, Changes*) -> absl::StatusOr<RecordView> {
        const std::optional<AddressRecord> known = one.Describe(address);
        if (known && known->state != AddressState::kFree) return ViewIn(one, *known);
        for (const Pool* pool : one.pools()) {
          if (!pool->config().prefix.Contains(address)) continue;
          const AddressRecord free{
              .address = address, .length = MaxLength(address.family()), .pool = pool->config().id};
          RecordView view = ViewIn(one, known.value_or(free));
          view.exclusion = Pool::ExclusionOf(pool->config(), address);
          return view;
        }
        return Error(absl::StatusCode::kNotFound, "ADDRESS_OUTSIDE_POOLS",
                     absl::StrCat(address.ToString(), " is in no pool of the network"))
            .Field("address")
            .Value(address.ToString());
      },
      std::move(reply));
}

void Service::EndPreserve(std::string_view network, Ip address, Reply<Done> reply) {
  OnNetwork<Done>(
      network,
      [address](Network& one, absl::Time now, Changes* changes) -> absl::StatusOr<Done> {
        GNOMON_RETURN_IF_ERROR(one.EndPreserve(now, address, changes));
        return Done();
      },
      std::move(reply));
}

// One call's predictions on their way: registered and filled one after the other, a turn of the shard at a time.
struct PredictionRun {
  std::string network;
  std::vector<PredictRequest> requests;
  std::vector<PredictionView> views;
  Reply<std::vector<PredictionView>> reply;
  size_t next = 0;          // the request that is under way
  bool registered = false;  // it has had its first turn
};

void Service::PredictInstances(PredictCall call, Reply<std::vector<PredictionView>> reply) {
  if (call.predictions.size() > kMaxPredictionsACall) {
    return reply(Error(absl::StatusCode::kInvalidArgument, "TOO_MANY_PREDICTIONS",
                       absl::StrCat("a call has at most ", kMaxPredictionsACall, " predictions"))
                     .Field("predictions")
                     .Value(absl::StrCat(call.predictions.size())));
  }
  auto run = std::make_shared<PredictionRun>();
  for (const Prediction& one : call.predictions) {
    PredictRequest request{.key = {call.source, one.type, one.scope}, .id = call.id, .count = one.count,
                           .horizon = one.horizon, .additive = one.additive, .resources = one.resources};
    if (absl::Status valid = Network::Validate(request); !valid.ok()) return reply(valid);
    run->requests.push_back(std::move(request));
  }
  run->network = std::move(call.network);
  run->reply = std::move(reply);
  FillPredictions(std::move(run));
}

void Service::FillPredictions(std::shared_ptr<PredictionRun> run) {
  if (run->next == run->requests.size()) return run->reply(std::move(run->views));
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(run->network);
  if (entry == nullptr) return run->reply(NetworkNotFound(run->network));
  auto turn = [run, id = entry->id](NetworksState& state, absl::Time now, Batch* batch) -> absl::StatusOr<FillResult> {
    const PredictRequest& request = run->requests[run->next];
    if (!run->registered) {
      absl::StatusOr<Done> done = state.On(id, now, batch, [&](Network& one, Changes* changes) -> absl::StatusOr<Done> {
        GNOMON_RETURN_IF_ERROR(one.Predict(now, request, changes));
        return Done();
      });
      if (!done.ok()) return done.status();
    }
    absl::StatusOr<FillResult> sum;
    for (int i = 0; i < kFillsATurn; ++i) {
      // Each step is a command of its own, so that none has more keys than a transaction.
      absl::StatusOr<FillResult> step = state.On(id, now, batch, [&](Network& one, Changes* changes) -> absl::StatusOr<FillResult> {
        return one.Fill(now, request.key.type, request.key.scope, changes);
      });
      if (!step.ok()) return step.status();
      if (i > 0) {
        step->held = sum->held;
        step->reserved += sum->reserved;
        step->reclaimed += sum->reclaimed;
      }
      sum = std::move(step);
      if (!sum->more) break;
    }
    return sum;
  };
  ShardOf(entry->id).Call<FillResult>(std::move(turn), [this, run](absl::StatusOr<FillResult> fill) mutable {
    if (!fill.ok()) return run->reply(fill.status());
    const PredictRequest& request = run->requests[run->next];
    if (!run->registered) {
      run->views.push_back({request.key.type, request.key.scope, *fill});
    } else {
      FillResult& total = run->views.back().fill;
      total.reserved += fill->reserved;
      total.reclaimed += fill->reclaimed;
      total.shortfall = fill->shortfall;
    }
    run->registered = fill->more;
    if (!fill->more) ++run->next;
    FillPredictions(std::move(run));
  });
}

void Service::CountInstances(std::string_view network, std::vector<std::string> types,
                             Reply<std::vector<uint32_t>> reply) {
  OnNetwork<std::vector<uint32_t>>(
      network,
      [types = std::move(types)](Network& one, absl::Time, Changes*) -> absl::StatusOr<std::vector<uint32_t>> {
        std::vector<uint32_t> counts;
        for (const std::string& type : types) counts.push_back(one.InstancesOf(type));
        return counts;
      },
      std::move(reply));
}

void Service::PeekShadow(std::string_view network, std::string type, Place place, Reply<std::optional<RecordView>> reply) {
  OnNetwork<std::optional<RecordView>>(
      network,
      [this, type = std::move(type), place = std::move(place)](Network& one, absl::Time,
                                                               Changes*) -> absl::StatusOr<std::optional<RecordView>> {
        std::optional<AddressRecord> shadow = one.PeekShadow(type, place);
        if (!shadow) return std::optional<RecordView>();
        return std::optional<RecordView>(ViewIn(one, *shadow));
      },
      std::move(reply));
}

void Service::Watch(std::string_view network, std::optional<uint64_t> revision, Reply<WatchView> reply) {
  std::shared_ptr<const NetworkEntry> entry = directory_.FindNetwork(network);
  if (entry == nullptr) return reply(NetworkNotFound(network));
  ShardOf(entry->id).Call<WatchView>(
      [id = entry->id, revision](NetworksState& state, absl::Time now, Batch* batch) -> absl::StatusOr<WatchView> {
        absl::StatusOr<std::shared_ptr<EventLog>> log = state.LogOf(id);
        if (!log.ok()) return log.status();
        absl::StatusOr<uint64_t> current = state.On(
            id, now, batch, [](Network& one, Changes*) -> absl::StatusOr<uint64_t> { return one.revision(); });
        if (!current.ok()) return current.status();
        return WatchView{*log, revision.value_or(*current)};
      },
      [reply = std::move(reply)](absl::StatusOr<WatchView> view) mutable {
        // By now all up to the current revision is in the log: too old, or ahead, is known at once.
        if (view.ok()) {
          if (absl::Status known = view->log->Read(view->revision, 0).status(); !known.ok()) return reply(known);
        }
        reply(std::move(view));
      });
}

}  // namespace gnomon
