// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <memory>

#include "base/bytes.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "plan/planner.h"

namespace gnomon {
namespace {

constexpr double kDayS = 86400;
constexpr size_t kKeys = 3;

std::unique_ptr<Planner> NewPlanner(const PlannerOptions& options = {}) {
  auto planner = std::make_unique<Planner>(options);
  for (size_t key = 0; key < kKeys; ++key) planner->AddKey();
  return planner;
}

// The minute from `time_s` on: its review, then singles, batches, some of them announced, and what is due of those.
void TellMinute(Planner* planner, double time_s) {
  const uint32_t noise = static_cast<uint32_t>(time_s / 60) * 2654435761u;
  planner->Review(time_s);
  planner->Created(0, time_s + 7.25, 1 + (noise >> 28));
  if (std::fmod(time_s, kDayS) > kDayS / 2) planner->Created(1, time_s + 31.5, 1 + (noise >> 26));
  if (noise % 16 != 0) return;
  const uint32_t batch = 1 + static_cast<uint32_t>(time_s / 60);
  planner->Announced(time_s + 40, {.batch = batch, .type = 2, .count = 9, .at_s = time_s + 50});
  planner->Wake(time_s + 45);
  planner->Created(2, time_s + 50, 7, batch);  // two never come
}

bool SamePlans(const Planner& a, const Planner& b) {
  for (size_t key = 0; key < kKeys; ++key) {
    const Plan left = a.PlanFor(key, 0.99), right = b.PlanFor(key, 0.99);
    if (left.level != right.level || left.announced != right.announced) return false;
    for (double Plan::*number : {&Plan::forecast, &Plan::spread, &Plan::multiple, &Plan::kept}) {
      if (std::bit_cast<uint64_t>(left.*number) != std::bit_cast<uint64_t>(right.*number)) return false;
    }
  }
  return a.WakesAt() == b.WakesAt();
}

TEST(PlannerState, ARestartInTheMiddleChangesNoPlan) {
  std::unique_ptr<Planner> kept = NewPlanner();
  double now_s = 0;
  for (; now_s < 3.3 * kDayS; now_s += 60) TellMinute(kept.get(), now_s);
  const std::string bytes = kept->Save();
  std::unique_ptr<Planner> restored = Planner::Restore({}, bytes).value();
  EXPECT_EQ(restored->Save(), bytes);
  EXPECT_TRUE(SamePlans(*kept, *restored));
  for (; now_s < 5.2 * kDayS; now_s += 60) {  // past the next fits
    TellMinute(kept.get(), now_s);
    TellMinute(restored.get(), now_s);
    ASSERT_TRUE(SamePlans(*kept, *restored)) << now_s;
  }
  EXPECT_TRUE(kept->Save() == restored->Save());
}

TEST(PlannerState, APlannerThatKnowsNothingIsRestored) {
  EXPECT_TRUE(Planner::Restore({}, Planner({}).Save()).ok());
  EXPECT_TRUE(SamePlans(*NewPlanner(), *Planner::Restore({}, NewPlanner()->Save()).value()));
}

// The bytes of a planner whose keys have a thousand creations a second each.
size_t BytesOfBusyKeys(size_t keys, double lead_s) {
  const PlannerOptions options{.lead_s = lead_s};
  Planner planner(options);
  for (size_t key = 0; key < keys; ++key) planner.AddKey();
  auto all_create = [&](double time_s, uint32_t count) {
    for (size_t key = 0; key < keys; ++key) planner.Created(key, time_s, count);
  };
  double now_s = 0;
  for (; now_s < 9 * kDayS; now_s += 60) all_create(now_s, 60'000);
  for (; now_s < 9 * kDayS + 1500; now_s += 1) {
    if (std::fmod(now_s, 60) == 0) planner.Review(now_s);
    all_create(now_s, 1000);
  }
  return planner.Save().size();
}

TEST(PlannerState, AKeyOfAThousandCreationsASecondTakesLessThan20kB) {
  for (double lead_s : {5.0, 30.0, 120.0}) {
    EXPECT_LT(BytesOfBusyKeys(2, lead_s) - BytesOfBusyKeys(1, lead_s), 20'000u) << lead_s;
  }
}

TEST(PlannerState, DamagedBytesAreRefused) {
  std::unique_ptr<Planner> planner = NewPlanner();
  for (double now_s = 0; now_s < 7200; now_s += 60) TellMinute(planner.get(), now_s);
  const std::string bytes = planner->Save();
  for (size_t at = 0; at < bytes.size(); at += at < 64 ? 1 : 97) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(CodeOf(Planner::Restore({}, damaged).status()), "PLANNER_STATE_CORRUPT") << at;
    EXPECT_EQ(CodeOf(Planner::Restore({}, bytes.substr(0, at)).status()), "PLANNER_STATE_CORRUPT") << at;
  }
  EXPECT_EQ(CodeOf(Planner::Restore({}, bytes + '\0').status()), "PLANNER_STATE_CORRUPT");
}

// As damaged, but with the checksum of the damaged bytes: what no disk does, and what must not crash either.
TEST(PlannerState, NonsenseWithARightChecksumIsRefusedOrHarmless) {
  std::unique_ptr<Planner> planner = NewPlanner();
  double now_s = 0;
  for (; now_s < 2.1 * kDayS; now_s += 60) TellMinute(planner.get(), now_s);
  const std::string bytes = planner->Save();
  uint32_t random = 1;
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    random = random * 1664525 + 1013904223;
    std::string state = bytes.substr(5);
    const size_t range = i % 2 == 0 ? 20'000 : state.size();  // the keys', then everywhere
    state[(random >> 8) % range] = static_cast<char>(random >> 5);
    if (i % 3 == 0) state.resize(state.size() - (random >> 8) % state.size());
    std::string damaged(1, bytes[0]);
    AppendU32(&damaged, Crc32(Crc32(0, damaged), state));
    absl::StatusOr<std::unique_ptr<Planner>> restored = Planner::Restore({}, damaged + state);
    refused += !restored.ok();
    if (!restored.ok()) continue;
    for (double time_s = now_s; time_s < now_s + 600; time_s += 60) TellMinute(restored->get(), time_s);
  }
  EXPECT_GE(refused, 100);
}

TEST(PlannerState, AnotherLeadReviewOrVersionIsRefusedByName) {
  const std::string bytes = NewPlanner()->Save();
  const absl::Status lead = Planner::Restore({.lead_s = 5}, bytes).status();
  EXPECT_EQ(CodeOf(lead), "PLANNER_STATE_DIFFERS");
  EXPECT_EQ(PartsOf(lead).field, "lead_s");
  EXPECT_EQ(PartsOf(lead).value, "30");
  EXPECT_EQ(PartsOf(Planner::Restore({.review_s = 10}, bytes).status()).field, "review_s");
  std::string later(1, static_cast<char>(bytes[0] + 1));
  AppendU32(&later, Crc32(Crc32(0, later), bytes.substr(5)));
  EXPECT_EQ(PartsOf(Planner::Restore({}, later + bytes.substr(5)).status()).field, "version");
  EXPECT_TRUE(Planner::Restore({.capacity = 7}, bytes).ok());
}

}  // namespace
}  // namespace gnomon
