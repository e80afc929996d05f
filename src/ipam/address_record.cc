// SPDX-License-Identifier: Apache-2.0
#include "ipam/address_record.h"

#include <array>
#include <cstring>

namespace gnomon {

void OwnedRecord::OwnTexts() {
  const std::array<std::string_view*, 7> texts{&instance, &labels, &type, &place.zone, &place.host, &source, &prediction};
  size_t bytes = 0;
  for (const std::string_view* text : texts) bytes += text->size();
  texts_ = std::make_unique<char[]>(bytes);
  char* to = texts_.get();
  for (std::string_view* text : texts) {
    if (!text->empty()) std::memcpy(to, text->data(), text->size());
    *text = std::string_view(to, text->size());
    to += text->size();
  }
}

}  // namespace gnomon
