// SPDX-License-Identifier: Apache-2.0
// The list of experts.
#include "absl/strings/str_cat.h"
#include "forecast/expert.h"

namespace gnomon {

std::vector<NamedExpert> MakeExperts(const std::vector<int>& seasons, const std::vector<Span>& spans) {
  const int season = seasons.front();
  std::vector<NamedExpert> experts;
  auto add = [&](std::string name, std::unique_ptr<Expert> expert) {
    experts.push_back({std::move(name), std::move(expert)});
  };
  add("seasonal_lags", MakeSeasonalLags(seasons, spans));
  add("last_value", MakeLastValue());
  add("fast_average", MakeExponentialAverage(0.3));
  add("slow_average", MakeExponentialAverage(0.02));
  add("tsb", MakeTsb());
  add("theta", MakeTheta());
  add("holt_winters", MakeHoltWinters(season));
  for (int steps : seasons) add(absl::StrCat("seasonal_naive_", steps), MakeSeasonalNaive(steps));
  add("profile", MakeProfile(season));
  add("spectrum", MakeSpectrum(season));
  return experts;
}

}  // namespace gnomon
