// SPDX-License-Identifier: Apache-2.0
#include "forecast/step_history.h"

namespace gnomon {

uint16_t StepHistory::Pack(double value) {
  if (!(value >= kSmallest)) return 0;
  const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(std::min(value, kLargest)));
  const uint32_t half = uint32_t{1} << (kDropped - 1);
  return static_cast<uint16_t>((bits - kOffset + half) >> kDropped);
}

void StepHistory::Push(double value) {
  newest_ = newest_ + 1 == steps_.size() ? 0 : newest_ + 1;
  steps_[newest_] = Pack(value);
  ++pushed_;
}

double StepHistory::Sum(int back, int length) const {
  double sum = 0;
  const int end = std::min(back + length, known());
  for (int i = std::max(back, 0); i < end; ++i) sum += Back(i);
  return sum;
}

double StepHistory::Mean(int back, int length) const {
  const int kept = std::min(back + length, known()) - std::max(back, 0);
  return kept <= 0 ? 0 : Sum(back, length) / kept;
}

double StepHistory::Largest(int length) const {
  double largest = 0;
  for (int i = 0; i < std::min(length, known()); ++i) largest = std::max(largest, Back(i));
  return largest;
}

}  // namespace gnomon
