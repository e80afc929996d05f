// SPDX-License-Identifier: Apache-2.0
//
// HorizonForecaster::Save and Restore. The bytes: u8 version, u32 CRC-32 of the version and what follows, then the fields
// in the order of Fields below, as base/state.h writes them.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/state.h"
#include "forecast/horizon_forecaster.h"
#include "forecast/horizon_forecaster_key.h"

namespace gnomon {
namespace {

constexpr char kVersion = 1;  // another one for every change of any Fields, or of what a number in them means
constexpr size_t kHeadBytes = 5;
constexpr const char* kHint = "start without the state: the forecaster learns anew from the creations that come";

uint32_t Checksum(char version, std::string_view state) {
  return Crc32(Crc32(0, std::string_view(&version, 1)), state);
}

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
  std::string bytes(1, kVersion);
  AppendU32(&bytes, Checksum(kVersion, state.bytes()));
  return bytes + state.bytes();
}

absl::StatusOr<std::unique_ptr<HorizonForecaster>> HorizonForecaster::Restore(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return Corrupt(bytes, "is shorter than its head");
  const std::string_view state = bytes.substr(kHeadBytes);
  if (ReadU32(bytes.substr(1)) != Checksum(bytes[0], state)) return Corrupt(bytes, "has a wrong checksum");
  if (bytes[0] != kVersion) {
    return Error(absl::StatusCode::kFailedPrecondition, "FORECASTER_STATE_DIFFERS",
                 absl::StrCat("the forecaster's state has version ", int{bytes[0]}, ", not ", int{kVersion}))
        .Field("version")
        .Value(absl::StrCat(int{bytes[0]}))
        .Hint(kHint);
  }
  StateReader reader(state);
  auto forecaster = std::make_unique<HorizonForecaster>();
  Fields(reader, *forecaster);
  if (!reader.ok() || reader.left() != 0) return Corrupt(bytes, "is not what a forecaster saves");
  return forecaster;
}

}  // namespace gnomon
