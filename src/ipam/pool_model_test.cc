// SPDX-License-Identifier: Apache-2.0
//
// Random operations on a Pool, against a map from each held address to its slot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "ipam/pool.h"

namespace gnomon {
namespace {

struct Held {
  int length;  // of the block; the family's longest for an address
  Slot slot;
};

class PoolModelTest : public testing::TestWithParam<std::tuple<const char*, Strategy, uint32_t>> {
 protected:
  PoolModelTest() : random_(std::get<2>(GetParam())), pool_(MakeConfig()) {}

  PoolConfig MakeConfig() {
    PoolConfig config{.prefix = Prefix::Parse(std::get<0>(GetParam())).value(), .strategy = std::get<1>(GetParam())};
    base_ = config.prefix.base();
    max_length_ = MaxLength(base_.family());
    span_ = config.prefix.host_bits() >= 11 ? 2048 : 1u << config.prefix.host_bits();
    config.gateway = Plus(1);
    config.exclude = {{Plus(10), Plus(11)}, {Plus(span_ / 2), Plus(span_ / 2 + span_ / 16)}};
    return config;
  }
  Ip Plus(uint64_t n) const { return Ip::FromBits(base_.bits() + n); }
  Ip Any() { return Plus(random_() % span_); }
  Prefix AnyBlock() {
    int bits = static_cast<int>(random_() % 11);
    return Prefix::Containing(Any(), std::max(max_length_ - bits, pool_.config().prefix.length() + 1));
  }

  bool IsExcluded(const Prefix& block) const {
    const PoolConfig& config = pool_.config();
    auto overlaps = [&](Ip first, Ip last) { return first <= block.last() && block.base() <= last; };
    for (const IpRange& range : config.exclude) {
      if (overlaps(range.first, range.last)) return true;
    }
    if (config.gateway && overlaps(*config.gateway, *config.gateway)) return true;
    return base_.IsV4() && (block.Contains(config.prefix.base()) || block.Contains(config.prefix.last()));
  }
  // The held entry that overlaps `block` and comes last.
  std::map<Ip, Held>::const_iterator Overlapping(const Prefix& block) const {
    auto after = held_.upper_bound(block.last());
    if (after == held_.begin()) return held_.end();
    --after;
    return Prefix(after->first, after->second.length).last() >= block.base() ? after : held_.end();
  }
  Pool::Presence Want(const Prefix& block) const {
    if (IsExcluded(block)) return Pool::Presence::kExcluded;
    return Overlapping(block) != held_.end() ? Pool::Presence::kHeld : Pool::Presence::kFree;
  }
  Prefix One(Ip ip) const { return Prefix(ip, max_length_); }

  void TakeAddress(Ip ip) {
    ASSERT_EQ(Want(One(ip)), Pool::Presence::kFree);
    pool_.Take(ip, ++last_slot_);
    held_[ip] = {max_length_, last_slot_};
    addresses_.push_back(ip);
  }
  void TakeBlock(const Prefix& block) {
    ASSERT_EQ(Want(block), Pool::Presence::kFree);
    pool_.TakeBlock(block, ++last_slot_);
    held_[block.base()] = {block.length(), last_slot_};
    blocks_.push_back(block);
  }
  template <typename T>
  T Pick(std::vector<T>& from) {
    std::swap(from[random_() % from.size()], from.back());
    T picked = from.back();
    from.pop_back();
    return picked;
  }

  void Step();
  void ExpectSame() const;

  std::mt19937_64 random_;
  Ip base_;
  int max_length_ = 0;
  uint64_t span_ = 0;  // named addresses and blocks are among this many
  Pool pool_;
  std::map<Ip, Held> held_;  // by first address
  std::vector<Ip> addresses_;
  std::vector<Prefix> blocks_;
  Slot last_slot_ = 0;
};

void PoolModelTest::Step() {
  Ip ip = Any();
  Prefix block = AnyBlock();
  ASSERT_EQ(pool_.Check(ip), Want(One(ip))) << ip.ToString();
  ASSERT_EQ(pool_.CheckBlock(block), Want(block)) << block.ToString();
  auto holder = Overlapping(One(ip));
  ASSERT_EQ(pool_.Find(ip), holder == held_.end() ? 0 : holder->second.slot);
  switch (random_() % 8) {
    case 0:
    case 1:
      if (std::optional<Ip> next = pool_.Propose(random_())) TakeAddress(*next);
      break;
    case 2:
      if (pool_.Check(ip) == Pool::Presence::kFree) TakeAddress(ip);
      break;
    case 3:
      if (pool_.CheckBlock(block) == Pool::Presence::kFree) TakeBlock(block);
      break;
    case 4:
      if (std::optional<Prefix> next = pool_.ProposeBlock(block.length())) TakeBlock(*next);
      break;
    case 5:
    case 6: {
      if (addresses_.empty()) break;
      Ip freed = Pick(addresses_);
      held_.erase(freed);
      random_() % 4 == 0 ? pool_.Return(freed, random_() % 2 == 0) : pool_.Free(freed);
      break;
    }
    case 7: {
      if (blocks_.empty()) break;
      Prefix freed = Pick(blocks_);
      held_.erase(freed.base());
      pool_.FreeBlock(freed);
      break;
    }
  }
}

void PoolModelTest::ExpectSame() const {
  std::vector<Slot> want, got;
  uint64_t held = 0;
  for (const auto& [ip, entry] : held_) {
    want.push_back(entry.slot);
    held += uint64_t{1} << (max_length_ - entry.length);
  }
  for (std::optional<Ip> from = base_; from;) {
    from = pool_.Visit(*from, 100, [&](Slot slot) {
      got.push_back(slot);
      return got.size() % 7 != 0;
    });
  }
  ASSERT_EQ(got, want);
  ASSERT_EQ(pool_.counts().held, held);
}

TEST_P(PoolModelTest, BehavesAsAMap) {
  for (int step = 0; step < 5000; ++step) {
    Step();
    if (HasFatalFailure()) return;
    if (step % 250 == 0) {
      ExpectSame();
      if (HasFatalFailure()) return;
    }
    if (step % 1000 == 999) {
      // Try other exclusions; they are refused when one of them is held.
      PoolConfig config = pool_.config();
      Ip a = Any(), b = Any();
      config.exclude = {{std::min(a, b), std::max(a, b)}, {Plus(10), Plus(11)}};
      if (step == 1999) config.exclude = {};
      config.gateway = std::nullopt;
      PoolConfig before = pool_.config();
      if (!pool_.SetConfig(config).ok()) {
        ASSERT_EQ(pool_.config(), before);
      }
    }
  }
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Seeds, PoolModelTest,
                         testing::Combine(testing::Values("10.0.0.0/24", "10.0.0.0/20", "fd00::/112", "fd00::/64"),
                                          testing::Values(Strategy::kLongestIdle, Strategy::kLowestFirst,
                                                          Strategy::kRandom),
                                          testing::Range(1u, 5u)));

}  // namespace
}  // namespace gnomon
