// SPDX-License-Identifier: Apache-2.0
//
// A TypeQuality is how well one type, or a whole network, was served, beside what static pools would have cost.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/forecast_judge.h"

namespace gnomon {

struct ServedTally {
  int64_t creations = 0, hits = 0;
  double idle_s = 0;  // summed over the shadows held

  void Add(const ServedTally& other) {
    creations += other.creations;
    hits += other.hits;
    idle_s += other.idle_s;
  }

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.creations, self.hits, self.idle_s);
  }
};

// The cheapest pool of a kind that has as many hits as there were.
struct StaticPoolView {
  double setting = 0;  // its size; in proportion: so many times each type's mean creations of five minutes
  int64_t hits = 0;
  double idle_s = 0;
};

struct TypeQuality {
  struct Window {
    absl::Time from = absl::InfinitePast();
    ServedTally served = {};
  };

  std::string type = {};                           // empty: all of the network
  std::string missing = {};                        // why nothing is known; empty: what follows holds
  absl::Duration observed = absl::ZeroDuration();  // of the time since total.from, what the engine was there for
  Window total = {}, day = {}, hour = {};
  std::array<JudgedHorizon, ForecastJudge::kHorizons> horizons = {};
  // nullopt: nothing was hit, or no pool of those tried has as many hits.
  std::optional<StaticPoolView> fixed = {};         // of each type the same size
  std::optional<StaticPoolView> proportional = {};  // of a network
};

struct NetworkQuality {
  TypeQuality network = {};
  std::vector<TypeQuality> types = {};
};

}  // namespace gnomon
