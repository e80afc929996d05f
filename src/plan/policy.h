// SPDX-License-Identifier: Apache-2.0
//
// A Policy says how many shadows each type of a fleet should hold, from the creations that it was told of.
//
// A policy has one or more points: variants of one setting, such as quantiles, that share all that it learns. A sweep
// compares them in one pass.
//
// Threads: not thread-safe. Time: seconds since any fixed moment, told, and never going back.
// Cost: Created and LevelOf are called for every creation and point; Review may take longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace gnomon {

// Some creations of one type at one moment.
struct Demand {
  double time_s = 0;
  size_t type = 0;
  int64_t count = 1;
  uint32_t batch = 0;  // equal ones were started together; 0: alone
  double lifetime_s = std::numeric_limits<double>::infinity();
};

// Creations that are known beforehand.
struct Announcement {
  uint32_t batch = 0;  // of the creations to come
  size_t type = 0;
  int64_t count = 0;
  double at_s = 0;  // when the first is to come
};

// Below `low`, counting those on order, shadows are ordered up to `fill`; above `keep` they are reclaimed.
struct Level {
  int64_t low = 0, fill = 0, keep = 0;
  friend bool operator==(const Level&, const Level&) = default;

  static Level Exactly(int64_t target) { return {target, target, target}; }
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual size_t points() const = 0;
  virtual void Created(const Demand& demand) = 0;
  // Told at `time_s`. A policy that takes no notice forecasts what is announced like everything else.
  virtual void Announced(double /*time_s*/, const Announcement& /*announcement*/) {}
  // When levels next change by themselves, between reviews; infinite: they do not. Wake is called then.
  virtual double WakesAt() const { return std::numeric_limits<double>::infinity(); }
  virtual void Wake(double /*time_s*/) {}
  // The interval between reviews passed; all that happened before `time_s` was told, nothing at or after it.
  virtual void Review(double time_s) = 0;
  // What to hold from now on. Not before the first Review.
  virtual Level LevelOf(size_t type, size_t point) const = 0;
};

}  // namespace gnomon
