// SPDX-License-Identifier: Apache-2.0
#include "store/envelope.h"

#include <string>

#include "base/error.h"
#include "gtest/gtest.h"
#include "store/store.h"

namespace gnomon {
namespace {

TEST(EnvelopeTest, ChecksumIsTheOneOfTheFormat) {
  EXPECT_EQ(Crc32(0, "123456789"), 0xcbf43926u);  // the check value of CRC-32/ISO-HDLC
  EXPECT_EQ(Crc32(Crc32(0, "1234"), "56789"), 0xcbf43926u);
}

TEST(EnvelopeTest, StoredBytesAreThoseOfTheFormat) {
  std::string head("\x01\x03\x00\x00\x00", 5);
  std::string want("\x01");
  AppendU32(&want, Crc32(0, head + "key" + "value"));
  EXPECT_EQ(Seal("key", "value"), want + "value");
}

TEST(EnvelopeTest, ValueComesBack) {
  const std::string values[] = {"", "x", std::string(3, '\0'), std::string(100000, 'v')};
  for (const std::string& value : values) {
    std::string stored = Seal("key", value);
    EXPECT_EQ(Unseal("key", stored).value(), value);
  }
}

TEST(EnvelopeTest, AnyFlippedBitIsDetected) {
  const std::string stored = Seal("key", "value");
  for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
    std::string damaged = stored;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    auto value = Unseal("key", damaged);
    EXPECT_EQ(value.status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
    EXPECT_EQ(CodeOf(value.status()), "STORE_CORRUPT");
  }
}

TEST(EnvelopeTest, AnyCutIsDetected) {
  const std::string stored = Seal("key", "value");
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_EQ(CodeOf(Unseal("key", stored.substr(0, size)).status()), "STORE_CORRUPT") << size;
  }
}

TEST(EnvelopeTest, ValueUnderAnotherKeyIsDetected) {
  std::string stored = Seal("ab", "c");
  EXPECT_EQ(CodeOf(Unseal("a", stored).status()), "STORE_CORRUPT");
  EXPECT_EQ(CodeOf(Unseal("ac", stored).status()), "STORE_CORRUPT");
}

TEST(EnvelopeTest, NewerVersionIsNotCalledDamage) {
  std::string stored("\x02", 1);
  AppendU32(&stored, Crc32(0, std::string("\x02\x03\x00\x00\x00", 5) + "key" + "value"));
  auto value = Unseal("key", stored + "value");
  EXPECT_EQ(CodeOf(value.status()), "STORE_TOO_NEW") << value.status();
}

TEST(EnvelopeTest, ErrorNamesTheKeyAndWhatToDo) {
  absl::Status corrupt = Unseal(std::string("net\0\xff\"", 6), "").status();
  EXPECT_NE(std::string(corrupt.message()).find("net\\x00\\xff\\x22"), std::string::npos) << corrupt;
  EXPECT_NE(PartsOf(corrupt).hint.find("gnomon restore"), std::string::npos);
  EXPECT_NE(PartsOf(corrupt).hint.find("--check-store"), std::string::npos);
}

}  // namespace
}  // namespace gnomon
