// SPDX-License-Identifier: Apache-2.0
//
// An Expert is one way to forecast a series of equal steps: small, learning step by step, and deterministic.
//
// It says what it expects the sums over spans of coming steps to be; how far it errs is learnt outside
// (score_histogram.h). To add one: a file with its class and its Make function, and its line in MakeExperts.
//
// Example:
//   std::unique_ptr<Expert> expert = MakeExponentialAverage("fast", 0.3);
//   history.Push(7); expert->Learn(history);
//   double sum = expert->Forecast(history, {0, 3});    // of the next three steps
//
// Threads: not thread-safe. Values: not negative. Cost: each says its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/state.h"
#include "forecast/step_history.h"

namespace gnomon {

// The steps ahead from `from` on and before `to`; 0 is the next one.
struct Span {
  int from = 0, to = 1;
  int length() const { return to - from; }
  bool operator==(const Span&) const = default;
};

class Expert {
 public:
  virtual ~Expert() = default;
  Expert() = default;
  Expert(const Expert&) = delete;
  Expert& operator=(const Expert&) = delete;

  // The newest step of `history` is new.
  virtual void Learn(const StepHistory& history) = 0;
  // The expected sum over `span`, not negative.
  virtual double Forecast(const StepHistory& history, const Span& span) const = 0;

  // As in base/state.h.
  virtual void Save(StateWriter& writer) const = 0;
  virtual void Restore(StateReader& reader) = 0;
};

// An expert whose state is saved by the Fields of `Self`.
template <class Self>
class ExpertOf : public Expert {
 public:
  void Save(StateWriter& writer) const override { Self::Fields(writer, static_cast<const Self&>(*this)); }
  void Restore(StateReader& reader) override { Self::Fields(reader, static_cast<Self&>(*this)); }
};

struct NamedExpert {
  std::string name;
  std::unique_ptr<Expert> expert;
};

// All of them, for a series of these seasons (in steps, rising, at least one). The first needs the least help: others,
// and trees, are measured from it.
std::vector<NamedExpert> MakeExperts(const std::vector<int>& seasons, const std::vector<Span>& spans);

// The last value goes on.
std::unique_ptr<Expert> MakeLastValue();
// An exponential average, `share` of it the newest value.
std::unique_ptr<Expert> MakeExponentialAverage(double share);
// What was counted a season of `season` steps ago; a mean before there is one.
std::unique_ptr<Expert> MakeSeasonalNaive(int season);
// The mean of the last seasons at the same place, times how the last hours compare with theirs.
std::unique_ptr<Expert> MakeProfile(int season);
// Holt and Winters' level and additive season, damped trend, on the square root (Winters, Management Science 1960).
std::unique_ptr<Expert> MakeHoltWinters(int season);
// Least squares on recent and seasonal lags, on the square root, one for each of `spans`, which alone it forecasts.
std::unique_ptr<Expert> MakeSeasonalLags(std::vector<int> seasons, std::vector<Span> spans);
// Level and half the drift (Fiorucci et al., International Journal of Forecasting 2016).
std::unique_ptr<Expert> MakeTheta();
// For series that are mostly zero: how often something comes times how much (Teunter, Syntetos and Babai, EJOR 2011).
std::unique_ptr<Expert> MakeTsb();
// Singular spectrum analysis of blocks of steps, a 24th of a season each, refitted twelve times a season.
std::unique_ptr<Expert> MakeSpectrum(int season);

}  // namespace gnomon
