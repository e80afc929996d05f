// SPDX-License-Identifier: Apache-2.0
//
// Quality: what is recorded of each type, and what is told of it: how it was served, and what static pools would have
// cost.
//
// Threads: free functions. Deterministic. Cost: of a network, 60 settings times its types.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/forecast_judge.h"
#include "engine/served_record.h"
#include "engine/type_quality.h"

namespace gnomon {

struct QualityRecord {
  ServedRecord served;
  ForecastJudge judge;

  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.served, self.judge);
  }
};

TypeQuality QualityOfType(const std::string& type, const QualityRecord& record, int64_t now_s);

// All types together. `proportional` gives each type so many times its mean creations of five minutes, at least 1,
// rounded up to one of StaticPools::kSizes.
TypeQuality QualityOfAll(const std::vector<QualityRecord>& records, int64_t now_s);

}  // namespace gnomon
