// SPDX-License-Identifier: Apache-2.0
#include "service/service.h"

#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "store/memory_store.h"

namespace gnomon {
namespace {

// Calls a method of the service that replies with a T, and waits.
template <typename T>
class Answer {
 public:
  Reply<T> Callback() {
    return [this](absl::StatusOr<T> result) {
      absl::MutexLock lock(&mutex_);
      result_ = std::move(result);
      done_ = true;
    };
  }
  absl::StatusOr<T> Wait() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    return result_;
  }

 private:
  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<T> result_ ABSL_GUARDED_BY(mutex_) = absl::UnknownError("no reply");
};

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override { Start(); }

  void Start() {
    service_ = nullptr;
    store_ = std::make_unique<MemoryStore>(disk_);
    absl::StatusOr<std::unique_ptr<Service>> service = Service::Start(store_.get(), &clock_, {.shards = 3, .shard = {}});
    ASSERT_TRUE(service.ok()) << service.status();
    service_ = *std::move(service);
  }

  template <typename T, typename Call>
  absl::StatusOr<T> Wait(Call call) {
    Answer<T> answer;
    call(answer.Callback());
    return answer.Wait();
  }

  absl::StatusOr<std::pair<NetworkView, bool>> CreateNetwork(const std::string& name, std::optional<uint32_t> vni = {}) {
    return Wait<std::pair<NetworkView, bool>>(
        [&](auto reply) { service_->CreateNetwork(name, "acme", vni, {}, std::move(reply)); });
  }
  void CreatePool(const std::string& network, const std::string& prefix) {
    PoolConfig config;
    config.name = "a";
    config.prefix = Prefix::Parse(prefix).value();
    config.headroom = 0;
    absl::StatusOr<PoolView> pool =
        Wait<PoolView>([&](auto reply) { service_->CreatePool(network, config, std::move(reply)); });
    ASSERT_TRUE(pool.ok()) << pool.status();
  }
  absl::StatusOr<InstanceView> Create(const std::string& network, const std::string& id, const std::string& account = "") {
    CreateInstanceCall call{.network = network, .account = account};
    call.request.instance = id;
    call.request.type = "web";
    return Wait<InstanceView>([&](auto reply) { service_->CreateInstance(call, std::move(reply)); });
  }
  std::string Address(const absl::StatusOr<InstanceView>& view) {
    return view.ok() ? view->addresses[0].record.address.ToString() : CodeOf(view.status());
  }
  absl::Status Delete(const std::string& network) {
    return Wait<Done>([&](auto reply) { service_->DeleteNetwork(network, std::move(reply)); }).status();
  }
  void Release(const std::string& network, const std::string& id) {
    ASSERT_TRUE(Wait<std::vector<RecordView>>([&](auto reply) {
                  service_->ReleaseInstance(network, {.instance = id}, std::move(reply));
                }).ok());
  }
  absl::StatusOr<std::vector<PredictionView>> Predict(uint32_t count, const std::string& id = "1") {
    PredictCall call{.network = "prod", .source = "s", .id = id,
                     .predictions = {{.type = "web", .count = count, .horizon = absl::Minutes(15)}}};
    return Wait<std::vector<PredictionView>>([&](auto reply) { service_->PredictInstances(call, std::move(reply)); });
  }

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  ManualClock clock_{absl::UnixEpoch() + absl::Hours(1)};
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Service> service_;
};

TEST_F(ServiceTest, NetworksWithTheSameAddressesAreApartAndSurviveARestart) {
  EXPECT_TRUE(CreateNetwork("a")->second);
  EXPECT_TRUE(CreateNetwork("b")->second);
  EXPECT_FALSE(CreateNetwork("b")->second);
  for (const char* network : {"a", "b"}) CreatePool(network, "10.0.0.0/24");
  EXPECT_EQ(Address(Create("a", "vm")), "10.0.0.1");
  EXPECT_EQ(Address(Create("b", "vm")), "10.0.0.1");
  Start();
  EXPECT_EQ(Address(Create("b", "vm2")), "10.0.0.2");
  EXPECT_EQ(Address(Create("c", "vm")), "NETWORK_NOT_FOUND");
}

TEST_F(ServiceTest, AnotherAccountThanTheNetworksIsRefused) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/24");
  EXPECT_EQ(Address(Create("prod", "vm", "other")), "ACCOUNT_DIFFERS");
  EXPECT_EQ(Address(Create("prod", "vm", "acme")), "10.0.0.1");
}

TEST_F(ServiceTest, ANetworkWithInstancesIsNotDeletedAndAnEmptyOneLeavesNothingBehind) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/22");
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  EXPECT_EQ(CodeOf(Delete("prod")), "NETWORK_IN_USE");
  for (int i = 0; i < 300; ++i) Release("prod", absl::StrCat("vm-", i));
  EXPECT_TRUE(Delete("prod").ok());
  EXPECT_EQ(CodeOf(Delete("prod")), "NETWORK_NOT_FOUND");
  EXPECT_EQ(disk_->Copy().size(), 1u) << "the catalogue's meta key alone";
  EXPECT_TRUE(CreateNetwork("prod")->second);
  EXPECT_EQ(Address(Create("prod", "vm")), "NO_POOL");
}

TEST_F(ServiceTest, ADeletionThatWasCutShortGoesOnAtTheNextStart) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/22");
  for (int i = 0; i < 150; ++i) ASSERT_TRUE(Create("prod", absl::StrCat("vm-", i)).ok());
  for (int i = 0; i < 150; ++i) Release("prod", absl::StrCat("vm-", i));
  disk_->FailCommit(2);  // the first step of the erasing
  EXPECT_EQ(CodeOf(Delete("prod")), "OUTCOME_UNKNOWN");
  Start();
  EXPECT_TRUE(service_->ListNetworks().empty());
  EXPECT_EQ(disk_->Copy().size(), 1u);
}

TEST_F(ServiceTest, ALargePredictionIsReservedInStepsThatEachFitATransaction) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/16");
  absl::StatusOr<std::vector<PredictionView>> views = Predict(5000);
  ASSERT_TRUE(views.ok()) << views.status();
  EXPECT_EQ(views->at(0).fill.reserved, 5000u);
  EXPECT_EQ(views->at(0).fill.held, 0u);
  EXPECT_TRUE(Create("prod", "vm")->hit);
  EXPECT_EQ(Predict(10, "2")->at(0).fill.reclaimed, 4989u);
}

TEST_F(ServiceTest, PagesHaveEachRecordOnceAndWatchingFromTheFirstConverges) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/24");
  for (int i = 0; i < 25; ++i) Create("prod", absl::StrCat("vm-", i)).value();
  std::map<std::string, std::string> seen;  // instance -> address
  ListCall call{.network = "prod", .states = 1 << static_cast<int>(AddressState::kAssigned), .page_size = 10};
  std::optional<uint64_t> revision;
  for (;;) {
    RecordPage page = Wait<RecordPage>([&](auto reply) { service_->List(call, std::move(reply)); }).value();
    if (!revision) revision = page.revision;
    for (const std::vector<RecordView>& group : page.groups) {
      EXPECT_TRUE(seen.emplace(std::string(group[0].record.instance), group[0].record.address.ToString()).second);
    }
    Create("prod", absl::StrCat("late-", seen.size())).value();
    if (!page.next) break;
    call.from = *page.next;
  }
  WatchView watch =
      Wait<WatchView>([&](auto reply) { service_->Watch("prod", revision, std::move(reply)); }).value();
  const std::vector<EventLog::Event> events = watch.log->Read(watch.revision, 1000).value();
  for (const EventLog::Event& event : events) {
    const auto& record = std::get<OwnedRecord>(event.change);
    seen[std::string(record.instance)] = record.address.ToString();
  }
  EXPECT_EQ(seen.size(), 28u);
}

TEST_F(ServiceTest, ARevisionOfAnotherIncarnationIsForeign) {
  const std::string text = service_->RevisionText(17);
  EXPECT_EQ(service_->ParseRevision(text).value(), 17u);
  disk_ = std::make_shared<MemoryDisk>();
  Start();
  EXPECT_EQ(CodeOf(service_->ParseRevision(text).status()), "FOREIGN_REVISION");
  EXPECT_EQ(CodeOf(service_->ParseRevision("17").status()), "INVALID_REVISION");
}

TEST_F(ServiceTest, AJumpOfTheWallClockPausesExpiryUntilItIsConfirmed) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.7/32");
  Create("prod", "a").value();
  Release("prod", "a");
  clock_.Step(absl::Hours(2));
  Start();
  EXPECT_TRUE(service_->expiry_paused());
  clock_.Pass(absl::Minutes(5));
  EXPECT_EQ(Address(Create("prod", "b")), "POOL_EXHAUSTED");
  Start();
  EXPECT_TRUE(service_->expiry_paused()) << "over a restart too";
  EXPECT_EQ(Address(Create("prod", "b")), "POOL_EXHAUSTED");
  EXPECT_TRUE(Wait<Done>([&](auto reply) { service_->ResumeExpiry(std::move(reply)); }).ok());
  EXPECT_FALSE(service_->expiry_paused());
  EXPECT_EQ(Address(Create("prod", "b")), "10.0.0.7");
}

TEST_F(ServiceTest, AnIdleServerIsNotTakenForAJump) {
  CreateNetwork("prod").value();
  for (int i = 0; i < 10; ++i) {
    clock_.Pass(absl::Minutes(30));
    Wait<Done>([&](auto reply) { service_->Ping(std::move(reply)); }).value();
  }
  Start();
  EXPECT_FALSE(service_->expiry_paused());
}

TEST_F(ServiceTest, ARecordShowsThePhysicalAddressOfItsHost) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/24");
  Wait<HostEntry>([&](auto reply) { service_->SetHost("h7", Ip::V4(0xc0000201), std::move(reply)); }).value();
  CreateInstanceCall call{.network = "prod"};
  call.request.instance = "vm";
  call.request.place.host = "h7";
  InstanceView view = Wait<InstanceView>([&](auto reply) { service_->CreateInstance(call, std::move(reply)); }).value();
  EXPECT_EQ(view.addresses[0].physical_address->ToString(), "192.0.2.1");
  EXPECT_EQ(view.addresses[0].pool, "a");
  EXPECT_EQ(view.addresses[0].pool_length, 24);
}

TEST_F(ServiceTest, ConcurrentClientsNeverShareAnAddress) {
  CreateNetwork("prod").value();
  CreatePool("prod", "10.0.0.0/22");
  Predict(100).value();
  std::vector<std::thread> threads;
  absl::Mutex mutex;
  std::set<std::string> addresses;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string address = Address(Create("prod", absl::StrCat("vm-", t, "-", i)));
        absl::MutexLock lock(&mutex);
        EXPECT_TRUE(addresses.insert(address).second) << address;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(addresses.size(), 400u);
}

// Both are asked for before either is done, as by two clients.
TEST_F(ServiceTest, OfTwoChangesOfAWarmPoolAtOnceNoneIsLost) {
  ASSERT_TRUE(CreateNetwork("prod").ok());
  Answer<NetworkView> web, db;
  auto set = [](const std::string& type, uint32_t target) {
    return [=](WarmPool* warm) {
      warm->by_type[type] = target;
      return absl::OkStatus();
    };
  };
  service_->UpdateWarmPool("prod", set("web", 5), web.Callback());
  service_->UpdateWarmPool("prod", set("db", 7), db.Callback());
  ASSERT_TRUE(web.Wait().ok());
  ASSERT_TRUE(db.Wait().ok());
  EXPECT_EQ(service_->FindNetwork("prod")->warm.by_type, (std::map<std::string, uint32_t>{{"db", 7}, {"web", 5}}));
  auto refused = [](WarmPool*) { return absl::InvalidArgumentError("no"); };
  EXPECT_EQ(
      Wait<NetworkView>([&](auto reply) { service_->UpdateWarmPool("prod", refused, std::move(reply)); }).status(),
      absl::InvalidArgumentError("no"));
}

}  // namespace
}  // namespace gnomon
