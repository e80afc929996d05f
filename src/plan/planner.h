// SPDX-License-Identifier: Apache-2.0
//
// A Planner forecasts how many shadows each key will need, learns from what then happened, and says what to hold.
//
// What is forecast is the *need*: the largest demand over one lead time (and kSpreadS, in which a batch comes) that
// ends in the time that a plan made now decides, from one lead from now until one lead after the next review. For each
// key, every review:
//   1. a linear forecast of the need from seasonal lags (LeastSquares), on the square-root scale: the level;
//   2. a quantile of (need - level) / sqrt(level + 1), by trees that are shared by all keys (QuantileTrees): kModels of
//      them, fitted at different times, averaged; a new key thus borrows the shape of the others. It leaves that for
//      its own as it grows older: a score is at most kOwn times the largest that the key had in the last week;
//   3. times the multiple at which the fleet would have had the hit rate that is asked for (HitCurve). A multiple below
//      1 takes more of the score off than of the level. What one beyond 1 adds is in proportion to the mean of level
//      and score and of a high quantile of the key's need in the last day: a burst that nothing announces needs a pool
//      that does not follow the forecast. When that is more than the capacity, a smaller multiple for all keys: they
//      share what there is by their forecasts, not by their means.
// A key holds no more than were created in the last seven days, so that a type that comes once holds one at most; and
// while they are fewer than kKnownWeek, its misses do not raise the multiple: no shadow could have prevented them.
// Announced creations are added, and not forecast (ExpectedCreations). Targets rise at once; what is held above them is
// given back slowly, kFall of the rest at each review.
//
// Example:
//   Planner planner({.lead_s = 30, .review_s = 60});
//   size_t key = planner.AddKey();
//   planner.Created(key, 12.5, 3);
//   planner.Review(60);
//   Plan plan = planner.PlanFor(key, 0.99);
//
// Threads: not thread-safe. Deterministic: equal calls give equal bits. Time: seconds since a midnight, never going
// back. Cost: 20 us a key and review; a fit, about 0.8 s on one core, once a day at the first review and whenever what
// it learns from has doubled. Memory: about 20 kB a key and at most 25 MB for what the trees learn from.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "forecast/demand_features.h"
#include "forecast/demand_history.h"
#include "forecast/least_squares.h"
#include "forecast/quantile_trees.h"
#include "plan/expected_creations.h"
#include "plan/hit_curve.h"
#include "plan/policy.h"

namespace gnomon {

struct PlannerOptions {
  static constexpr double kMaxLeadS = 600;
  double lead_s = 30;  // at most kMaxLeadS: longer ones are planned as that
  double review_s = 60;
  int64_t capacity = std::numeric_limits<int64_t>::max();  // shadows of all keys together
};

// What to hold of one key, and why. Numbers of shadows.
struct Plan {
  Level level;
  double forecast = 0;    // of the need, by the linear model
  double spread = 0;      // added to it by the trees, and for high hit rates by the need of the last day
  double multiple = 1;    // of the two, for the hit rate that was asked for
  int64_t announced = 0;  // added for creations that are known
  double kept = 0;        // above the target, still to be given back
  int64_t expected = 0;   // by a signal, if there is one (plan/outlook_pools.h)
  double chance = 0;      // that no more is needed, by the signal
  bool follows_signal = false;  // the level is the signal's, not what the rest says
};

class Planner {
 public:
  static constexpr double kSpreadS = 10;
  static constexpr size_t kModels = 3;
  static constexpr double kFall = 0.2;
  static constexpr size_t kMaxRows = 52000;  // that trees are fitted on

  explicit Planner(const PlannerOptions& options);
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  // Keys are numbered from 0.
  size_t AddKey();
  size_t size() const { return keys_.size(); }
  // Of `batch`, 0 if alone: those that were announced are not learnt from. Says whether
  // the key's plan is another now.
  bool Created(size_t key, double time_s, uint32_t count, uint32_t batch = 0);
  // `announcement.type` is the key.
  void Announced(double time_s, const Announcement& announcement) { expected_.Announce(time_s, announcement); }
  // When plans next change between reviews, as shadows for an announcement are due or it is given up.
  double WakesAt() const { return expected_.WakesAt(); }
  void Wake(double time_s) { expected_.Wake(time_s); }
  void Review(double time_s);
  // As of the last Review. `hit_rate`: the share of creations that should find a shadow, below 1.
  Plan PlanFor(size_t key, double hit_rate) const;

  // All that was learnt, announced and planned, as bytes: a version, a checksum, the state. A planner restored from
  // them and told the same gives the same plans, bit by bit. Size: about 8 kB a key, less than 20 kB at 1,000 creations
  // a second and a lead of 120 s; 200 bytes a row that trees learn from (10 MB at most); 20 bytes an open announcement.
  std::string Save() const;
  // The capacity may be another than the one saved; lead and review may not. Errors: DATA_LOSS (PLANNER_STATE_CORRUPT)
  // for bytes that Save did not make; FAILED_PRECONDITION (PLANNER_STATE_DIFFERS) for those of another version, lead or
  // review.
  static absl::StatusOr<std::unique_ptr<Planner>> Restore(const PlannerOptions& options, std::string_view bytes);

 private:
  struct Pending;
  struct Key;
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self);
  void LearnMinute(Key* key, double time_s);
  void Learn(Key* key, const Pending& pending);
  void Keep(const Key& key, const Pending& pending, double score, double scale);
  void Forecast(Key* key, double time_s);
  void FitOneModel();
  double NeedAt(const Key& key, double time_s) const;
  double Score(const Key& key, const Pending& pending) const;

  const double lead_s_, review_s_;
  const double capacity_;
  const double window_s_;  // of the features: a review and a lead, in whole minutes
  const double tick_s_;    // of the virtual pools: whole ticks fill a minute
  std::vector<std::unique_ptr<Key>> keys_;
  DemandHistory all_;
  HitCurve curve_;
  Elastic targets_;  // of all keys
  ExpectedCreations expected_;
  double learnt_s_ = -1e18;  // the last whole minute that was learnt from
  int64_t fitted_day_ = 0;
  uint64_t fitted_rows_ = 0;  // that there were at the last fit
  size_t busy_keys_ = 0;      // that rows are kept of

  TreeRows rows_{kFeatures};
  size_t next_row_ = 0;               // the oldest, once there are kMaxRows
  std::deque<QuantileTrees> models_;  // the newest last
  uint64_t fits_ = 0;
};

}  // namespace gnomon
