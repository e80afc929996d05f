// SPDX-License-Identifier: Apache-2.0
//
// Random operations on a Network against a simple model, all invariants after each, and a reload from what was stored.
//
// GNOMON_MODEL_SEEDS and GNOMON_MODEL_OPS set how many seeds of how many operations; the seed is printed on a failure.
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "ipam/network.h"
#include "testing/network_fixture.h"

namespace gnomon {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

constexpr int kCheckEvery = 64;      // a full walk; cheap invariants are checked after each operation
constexpr int kReloadEvery = 2000;

// What must hold from outside, kept as plainly as possible: who holds what, and what is cooling until when.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {
    AddPool("a", "10.0.0.0/26", absl::Seconds(20), 0.1, Strategy::kLongestIdle);
    AddPool("b", "10.0.1.0/27", absl::Seconds(0), 0.0, Strategy::kRandom);
    AddPool("c", "2001:db8::/120", absl::Seconds(60), 0.2, Strategy::kLowestFirst);
  }

  void Run(int operations) {
    for (int i = 0; i < operations && !testing::Test::HasFailure(); ++i) {
      now_ += absl::Milliseconds(Below(500));
      Advance();
      Step();
      Keep();
      if (i % kCheckEvery == 0) CheckAll();
      if (i % kReloadEvery == kReloadEvery - 1) Reload();
    }
  }

 private:
  struct Holding {
    std::set<Ip> addresses;
    uint64_t generation = 0;
  };

  uint64_t Below(uint64_t n) { return random_() % n; }
  std::string Id() { return "vm-" + std::to_string(Below(140)); }
  std::string Type() { return Below(3) == 0 ? "db" : "web"; }
  Place Scope() {
    switch (Below(4)) {
      case 0: return {"z1", ""};
      case 1: return {"", "h1"};
      default: return {};
    }
  }

  void AddPool(const std::string& name, const std::string& prefix, absl::Duration quarantine, double headroom,
               Strategy strategy) {
    PoolConfig config;
    config.name = name;
    config.prefix = Prefix::Parse(prefix).value();
    config.quarantine = quarantine;
    config.headroom = headroom;
    config.strategy = strategy;
    ASSERT_TRUE(network_->AddPool(config, &changes_).ok());
    stored_.Apply(changes_);
    changes_.clear();
  }

  void Advance() {
    do {
      network_->Advance(now_, &changes_);
      Keep();
    } while (network_->NextDeadline() <= now_);
    std::erase_if(cooling_, [&](const auto& entry) { return entry.second <= now_; });
    for (auto it = preserved_.begin(); it != preserved_.end();) {
      if (it->second > now_) {
        ++it;
        continue;
      }
      Cool(it->first);
      it = preserved_.erase(it);
    }
  }

  void Cool(Ip ip) {
    for (const Pool* pool : network_->pools()) {
      if (!pool->config().prefix.Contains(ip)) continue;
      const absl::Time until = now_ + pool->config().quarantine;
      if (until > now_) cooling_[ip] = until;
    }
  }

  void Step() {
    switch (Below(14)) {
      case 0: case 1: case 2: case 3: return Create();
      case 4: case 5: case 6: return Release();
      case 7: case 8: return Predict();
      case 9: return Reassign();
      case 10: return Warm();
      case 11: return Update();
      case 12: return Below(8) == 0 ? Drain() : Create();
      default: return Batch();
    }
  }

  CreateRequest Request() {
    CreateRequest request;
    request.instance = Id();
    request.type = Type();
    request.place = Below(2) == 0 ? Place{"z1", "h1"} : Place{};
    request.families = std::array<Families, 4>{kOnlyIpv4, kOnlyIpv6, kBothFamilies, kOnlyIpv4}[Below(4)];
    if (request.families == kOnlyIpv4 && Below(6) == 0) request.address = Ip::V4(0x0a000000 + Below(64));
    if (request.families == kOnlyIpv4 && !request.address && Below(12) == 0) request.block_length = 29;
    if (Below(8) == 0) request.mac = Mac::FromBits(Below(2) == 0 ? 0x02010a000000 + Below(64) : 0x020000000000 + Below(4));
    if (request.families == kOnlyIpv4 && Below(6) == 0) request.pool = Below(2) == 0 ? "a" : "b";
    return request;
  }

  void Note(const std::string& instance, const Assignment& assignment) {
    Holding& holding = held_[instance];
    for (const AddressRecord& record : assignment.addresses) {
      holding.generation = record.generation;
      const Prefix prefix(record.address, record.length);
      for (Ip ip = prefix.base(); ip <= prefix.last(); ip = Ip::FromBits(ip.bits() + 1)) {
        EXPECT_TRUE(holders_.emplace(ip, instance).second) << ip.ToString() << " is held twice";
        EXPECT_FALSE(cooling_.contains(ip)) << ip.ToString() << " was given in its quarantine";
        preserved_.erase(ip);
      }
      holding.addresses.insert(record.address);
    }
  }

  void Create() { CreateWith(Request()); }

  void CreateWith(const CreateRequest& request) {
    const uint64_t revision = network_->revision();
    absl::StatusOr<Assignment> got = network_->Create(now_, request, &changes_);
    if (!got.ok()) {
      EXPECT_EQ(network_->revision(), revision) << "a refusal changed something: " << got.status();
      EXPECT_TRUE(CodeOf(got.status()) != "POOL_EXHAUSTED" || NothingWouldFit(request)) << got.status();
      return;
    }
    EXPECT_EQ(got->created, !held_.contains(request.instance));
    if (got->created) {
      Note(request.instance, *got);
    } else {
      EXPECT_EQ(network_->revision(), revision);
    }
  }

  // A prediction never causes a refusal: no address of the family that is asked for may be free, a shadow or withdrawing.
  bool NothingWouldFit(const CreateRequest& request) {
    if (request.block_length != 0) return true;
    uint64_t v4 = 0, v6 = 0;
    for (const Pool* pool : network_->pools()) {
      if (pool->config().draining || (!request.pool.empty() && pool->config().name != request.pool)) continue;
      const bool is_v4 = pool->config().prefix.family() == Family::kIpv4;
      (is_v4 ? v4 : v6) += pool->counts().free + network_->ShadowsOf(pool->config().id);
    }
    return ((request.families & kOnlyIpv4) != 0 && v4 == 0) || ((request.families & kOnlyIpv6) != 0 && v6 == 0);
  }

  void Forget(const std::string& instance) {
    std::erase_if(holders_, [&](const auto& entry) { return entry.second == instance; });
    held_.erase(instance);
  }

  void Release() {
    const std::string id = Id();
    ReleaseRequest request{.instance = id};
    if (Below(5) == 0) request.preserve = absl::Seconds(1 + Below(60));
    if (Below(10) == 0) request.generation = 1;
    absl::StatusOr<Records> ended = network_->Release(now_, request, &changes_);
    if (!held_.contains(id)) {
      EXPECT_TRUE(ended.ok() && ended->empty());
      return;
    }
    EXPECT_EQ(ended.ok(), !request.generation || *request.generation == held_[id].generation);
    if (!ended.ok()) return;
    for (const auto& [ip, holder] : holders_) {
      if (holder != id) continue;
      if (request.preserve) {
        preserved_[ip] = now_ + *request.preserve;
      } else {
        Cool(ip);
      }
    }
    Forget(id);
  }

  void Predict() {
    const std::string type = Type();
    const Place scope = Scope();
    PredictRequest request{.key = {Below(2) == 0 ? "s" : "t", type, scope},
                           .id = std::to_string(Below(1000)),
                           .count = static_cast<uint32_t>(Below(20)),
                           .horizon = absl::Seconds(1 + Below(60)),
                           .additive = Below(8) == 0};
    ASSERT_TRUE(network_->Predict(now_, request, &changes_).ok());
    for (bool more = true; more;) {
      Keep();
      more = network_->Fill(now_, type, scope, &changes_).more;
    }
  }

  void Reassign() {
    const std::string id = Id();
    const Ip wanted = Ip::V4(0x0a000000 + Below(64));
    const uint64_t revision = network_->revision();
    absl::StatusOr<Assignment> got = network_->Reassign(now_, id, wanted, &changes_);
    if (!got.ok() || !got->created) {
      EXPECT_EQ(network_->revision(), revision);
      return;
    }
    const Ip old = *held_[id].addresses.begin();
    Cool(old);
    Forget(id);
    Note(id, *got);
  }

  void Update() {
    UpdateRequest request{.instance = Id()};
    if (Below(2) == 0) request.host = "h" + std::to_string(Below(3));
    if (Below(2) == 0) request.labels = "{}";
    EXPECT_EQ(network_->Update(request, &changes_).ok(), held_.contains(request.instance));
  }

  // A pool drains, or does so no more.
  void Drain() {
    PoolConfig config = network_->FindPool(Below(2) == 0 ? "a" : "b")->config();
    config.draining = !config.draining;
    ASSERT_TRUE(network_->UpdatePool(config, &changes_).ok());
    if (!config.draining) return;
    for (std::optional<Ip> next = config.prefix.base(); next;) {
      Keep();
      next = network_->ReclaimStep(now_, config.id, *next, &changes_);
    }
    EXPECT_EQ(network_->ShadowsOf(config.id), 0u);
  }

  void Warm() {
    Ip ip = Ip::V4(0x0a000000 + Below(64));
    switch (Below(4)) {
      case 0: network_->Withdrawn(now_, ip, &changes_); return;
      case 1:
        if (network_->ConflictDetected(now_, ip, &changes_).ok()) Cool(ip);
        return;
      default: (void)network_->SetWarmth(ip, static_cast<Warmth>(Below(3)), &changes_);
    }
  }

  void Batch() {
    std::vector<CreateRequest> requests;
    std::set<std::string> ids;
    for (uint64_t i = Below(12); i > 0; --i) {
      CreateRequest request = Request();
      request.block_length = 0;
      if (ids.insert(request.instance).second) requests.push_back(request);
    }
    const uint64_t revision = network_->revision();
    absl::StatusOr<std::vector<Assignment>> got = network_->CreateBatch(now_, requests, &changes_);
    if (!got.ok()) {
      EXPECT_EQ(network_->revision(), revision);
      return;
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(got->at(i).created, !held_.contains(requests[i].instance));
      if (got->at(i).created) Note(requests[i].instance, got->at(i));
    }
  }

  // Stores what one command changed.
  void Keep() {
    CheckRevisions();
    stored_.Apply(changes_);
    changes_.clear();
  }

  void CheckRevisions() {
    EXPECT_EQ(network_->revision() - checked_revision_, changes_.size()) << "each change has a revision of its own";
    checked_revision_ = network_->revision();
    uint64_t last = 0;
    for (const Change& change : changes_) {
      const auto* record = std::get_if<AddressRecord>(&change);
      if (record == nullptr) continue;
      EXPECT_GT(record->revision, last);
      last = record->revision;
    }
    EXPECT_LE(last, network_->revision());
  }

  void CheckAll() {
    uint64_t assigned = 0, quarantined = 0, shadows = 0;
    std::set<uint64_t> macs;
    std::map<std::string, std::set<std::string>, std::less<>> instances;  // by type
    network_->Visit(Ip(), SIZE_MAX, [&](const AddressRecord& record) {
      const bool lives = record.state == AddressState::kShadow || record.state == AddressState::kAssigned;
      if (lives && (!record.partner || record.address.IsV4())) {
        EXPECT_TRUE(macs.insert(record.mac.bits()).second) << record.mac.ToString() << " is there twice";
      }
      shadows += record.state == AddressState::kShadow ? 1 : 0;
      if (record.state == AddressState::kAssigned) {
        ++assigned;
        instances[std::string(record.type)].insert(std::string(record.instance));
        auto holder = holders_.find(record.address);
        EXPECT_TRUE(holder != holders_.end() && holder->second == record.instance) << record.address.ToString();
      } else if (record.state == AddressState::kQuarantined) {
        ++quarantined;
        EXPECT_TRUE(cooling_.contains(record.address)) << record.address.ToString() << " leaks in quarantine";
      }
      return true;
    });
    EXPECT_EQ(assigned, network_->CountOf(AddressState::kAssigned));
    EXPECT_EQ(shadows, network_->CountOf(AddressState::kShadow));
    for (std::string_view type : {"web", "db", "none"}) {
      EXPECT_EQ(network_->InstancesOf(type), instances[std::string(type)].size()) << type;
    }
    uint64_t held = 0;
    for (const auto& [id, holding] : held_) held += holding.addresses.size();
    EXPECT_EQ(assigned, held);
    for (const auto& [ip, until] : cooling_) {
      std::optional<AddressRecord> record = network_->Describe(ip);
      EXPECT_TRUE(record && record->state == AddressState::kQuarantined) << ip.ToString() << " lost its quarantine";
    }
    for (const auto& [ip, until] : preserved_) {
      std::optional<AddressRecord> record = network_->Describe(ip);
      EXPECT_TRUE(record && record->state == AddressState::kPreserved) << ip.ToString() << " lost its preserve";
    }
  }

  void Reload() {
    std::unique_ptr<Network> again = stored_.Load(network_->revision(), now_);
    std::vector<OwnedRecord> before, after;
    network_->Visit(Ip(), SIZE_MAX, [&](const AddressRecord& record) { before.emplace_back(record); return true; });
    again->Visit(Ip(), SIZE_MAX, [&](const AddressRecord& record) { after.emplace_back(record); return true; });
    EXPECT_EQ(before, after);
    network_ = std::move(again);
    CheckAll();
  }

  std::mt19937_64 random_;
  std::unique_ptr<Network> network_ = std::make_unique<Network>(NetworkId{1});
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  Changes changes_;
  StoredNetwork stored_;
  uint64_t checked_revision_ = 3;  // after the three pools
  std::map<std::string, Holding> held_;
  std::map<Ip, std::string> holders_;  // each address, those inside blocks too
  std::map<Ip, absl::Time> cooling_, preserved_;
};

class NetworkModelTest : public testing::TestWithParam<int> {};

TEST_P(NetworkModelTest, RandomOperationsKeepEveryInvariant) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Model(static_cast<uint64_t>(GetParam())).Run(FromEnvironment("GNOMON_MODEL_OPS", 1000000));
}

INSTANTIATE_TEST_SUITE_P(Seeds, NetworkModelTest, testing::Range(1, 1 + FromEnvironment("GNOMON_MODEL_SEEDS", 20)));

}  // namespace
}  // namespace gnomon
