// SPDX-License-Identifier: Apache-2.0
//
// Planner::Save and Planner::Restore. The bytes, sealed: f64 lead, f64 review, then the fields in the order of Fields
// below, as base/state.h writes them.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/sealed_state.h"
#include "base/state.h"
#include "plan/planner.h"
#include "plan/planner_key.h"

namespace gnomon {
namespace {

constexpr char kVersion = 4;  // another one for every change of any Fields, or of what a number in them means
constexpr const char* kHint = "start without the state: the planner learns anew from the creations that come";

Error Corrupt(std::string_view bytes, const char* why) {
  return Error(absl::StatusCode::kDataLoss, "PLANNER_STATE_CORRUPT",
               absl::StrCat("the planner's state (", bytes.size(), " bytes) ", why))
      .Hint(kHint);
}

Error Differs(const char* field, double saved, double wanted) {
  return Error(absl::StatusCode::kFailedPrecondition, "PLANNER_STATE_DIFFERS",
               absl::StrCat("the planner's state has ", field, " ", saved, ", not ", wanted))
      .Field(field)
      .Value(absl::StrCat(saved))
      .Hint(kHint);
}

}  // namespace

template <class Archive, class Self>
void ExpectedCreations::Fields(Archive& archive, Self& self, size_t types) {
  size_t open = self.open_.size();
  archive(open);
  archive.Require(open <= kMaxOpen);
  auto one = [&](auto& id, auto& left) {
    archive(id.first, id.second, left.left, left.due, left.changes_s, left.at_s);
    archive.Require(id.first < types && left.left > 0);
  };
  if constexpr (!Archive::kReads) {
    for (const auto& [id, left] : self.open_) one(id, left);
  } else {
    self.due_.resize(open == 0 ? 0 : types, 0);
    for (; archive.ok() && open > 0; --open) {
      Id id;
      Open left;
      one(id, left);
      archive.Require(self.open_.emplace(id, left).second);
      if (!archive.ok()) return;
      self.changes_.insert({left.changes_s, id});
      if (left.due) self.due_[id.first] += left.left;
    }
  }
}

template <class Archive, class Self>
void Planner::Fields(Archive& archive, Self& self) {
  size_t keys = self.keys_.size();
  archive(keys);
  if constexpr (Archive::kReads) {
    for (; archive.ok() && keys > 0; --keys) archive(*self.keys_[self.AddKey()]);
  } else {
    for (const std::unique_ptr<Key>& key : self.keys_) archive(*key);
  }
  archive(self.all_, self.curve_, self.targets_.at_one, self.targets_.below, self.targets_.beyond, self.learnt_s_,
          self.fitted_day_, self.fitted_rows_, self.busy_keys_);
  ExpectedCreations::Fields(archive, self.expected_, self.keys_.size());
  archive(self.rows_, self.next_row_, self.models_, self.fits_);
  archive.Require(self.rows_.size() <= kMaxRows && self.next_row_ < kMaxRows);
  archive.Require(self.next_row_ == 0 || self.next_row_ < self.rows_.size());
  archive.Require(self.models_.size() <= kModels);
  for (const QuantileTrees& model : self.models_) archive.Require(model.width() <= kFeatures);
}

std::string Planner::Save() const {
  StateWriter state;
  state(lead_s_, review_s_);
  Fields(state, *this);
  return Seal(kVersion, state.bytes());
}

absl::StatusOr<std::unique_ptr<Planner>> Planner::Restore(const PlannerOptions& options, std::string_view bytes) {
  const Unsealed unsealed = Unseal(bytes);
  if (unsealed.damage != nullptr) return Corrupt(bytes, unsealed.damage);
  if (unsealed.version != kVersion) return Differs("version", unsealed.version, kVersion);
  StateReader reader(unsealed.state);
  double lead_s = 0, review_s = 0;
  reader(lead_s, review_s);
  auto planner = std::make_unique<Planner>(options);
  if (lead_s != planner->lead_s_) return Differs("lead_s", lead_s, planner->lead_s_);
  if (review_s != planner->review_s_) return Differs("review_s", review_s, planner->review_s_);
  Fields(reader, *planner);
  if (!reader.ok() || reader.left() != 0) return Corrupt(bytes, "is not what a planner saves");
  return planner;
}

}  // namespace gnomon
