// SPDX-License-Identifier: Apache-2.0
//
// HorizonForecaster::Save and Restore. The bytes, sealed: the fields in the order of Fields below, as base/state.h writes
// them.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/sealed_state.h"
#include "base/state.h"
#include "forecast/horizon_forecaster.h"
#include "forecast/horizon_forecaster_key.h"

namespace gnomon {
namespace {

constexpr char kVersion = 2;  // another one for every change of any Fields, or of what a number in them means
constexpr const char* kHint = "start without the state: the forecaster learns anew from the creations that come";

Error Corrupt(std::string_view bytes, const char* why) {
  return Error(absl::StatusCode::kDataLoss, "FORECASTER_STATE_CORRUPT",
               absl::StrCat("the forecaster's state (", bytes.size(), " bytes) ", why))
      .Hint(kHint);
}

}  // namespace

template <class Archive, class Self>
void HorizonForecaster::Fields(Archive& archive, Self& self) {
  size_t keys = self.keys_.size();
  archive(self.reviewed_s_, self.fit_, self.pool_, keys);
  if constexpr (Archive::kReads) {
    for (; archive.ok() && keys > 0; --keys) {
      Key& key = *self.keys_[self.AddKey()];
      key.series.Restore(archive);
      archive(key);
    }
  } else {
    for (const std::unique_ptr<Key>& key : self.keys_) {
      key->series.Save(archive);
      archive(*key);
    }
  }
}

std::string HorizonForecaster::Save() const {
  StateWriter state;
  Fields(state, *this);
  return Seal(kVersion, state.bytes());
}

absl::StatusOr<std::unique_ptr<HorizonForecaster>> HorizonForecaster::Restore(std::string_view bytes) {
  const Unsealed unsealed = Unseal(bytes);
  if (unsealed.damage != nullptr) return Corrupt(bytes, unsealed.damage);
  if (unsealed.version != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "FORECASTER_STATE_DIFFERS",
                 absl::StrCat("the forecaster's state has version ", int{unsealed.version}, ", not ", int{kVersion}))
        .Field("version")
        .Value(absl::StrCat(int{unsealed.version}))
        .Hint(kHint);
  }
  StateReader reader(unsealed.state);
  auto forecaster = std::make_unique<HorizonForecaster>();
  Fields(reader, *forecaster);
  if (!reader.ok() || reader.left() != 0) return Corrupt(bytes, "is not what a forecaster saves");
  return forecaster;
}

}  // namespace gnomon
