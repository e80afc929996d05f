// SPDX-License-Identifier: Apache-2.0
#include "base/state.h"

#include <limits>

#include "gtest/gtest.h"

namespace gnomon {
namespace {

struct Part {
  template <class Archive, class Self>
  static void Fields(Archive& archive, Self& self) {
    archive(self.flag, self.numbers);
  }
  bool flag = false;
  std::vector<int32_t> numbers;
  friend bool operator==(const Part&, const Part&) = default;
};

TEST(State, EveryKindComesBack) {
  const int64_t least = std::numeric_limits<int64_t>::min();
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  const std::array<float, 2> floats = {1.5F, -0.0F};
  const std::deque<Part> parts = {{true, {0, -1, 63, 64, -2147483648}}, {false, {}}};
  StateWriter writer;
  writer(least, most, floats, parts, -1e18);
  int64_t least_back = 0;
  uint64_t most_back = 0;
  std::array<float, 2> floats_back{};
  std::deque<Part> parts_back(5);
  double double_back = 0;
  StateReader reader(writer.bytes());
  reader(least_back, most_back, floats_back, parts_back, double_back);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_EQ(least_back, least);
  EXPECT_EQ(most_back, most);
  EXPECT_EQ(floats_back, floats);
  EXPECT_TRUE(std::signbit(floats_back[1]));
  EXPECT_EQ(parts_back, parts);
  EXPECT_EQ(double_back, -1e18);
}

TEST(State, SmallNumbersTakeAByte) {
  StateWriter writer;
  writer(uint32_t{127}, int64_t{-64}, true);
  EXPECT_EQ(writer.bytes().size(), 3u);
}

template <class T>
bool Reads(std::string_view bytes) {
  StateReader reader(bytes);
  T value{};
  reader(value);
  EXPECT_TRUE(reader.ok() || value == T{});
  return reader.ok();
}

TEST(State, WhatIsNotOfTheKindIsRefused) {
  StateWriter large, huge, none;
  large(uint64_t{1} << 32);
  huge(2e18);
  none(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(Reads<uint32_t>(large.bytes()));
  EXPECT_FALSE(Reads<bool>("\x02"));
  EXPECT_FALSE(Reads<double>(huge.bytes()));
  EXPECT_FALSE(Reads<double>(none.bytes()));
  EXPECT_FALSE(Reads<double>("1234567"));
  EXPECT_FALSE(Reads<uint64_t>(std::string(11, '\x80')));
  EXPECT_FALSE(Reads<uint32_t>(""));
}

TEST(State, AListThatIsLongerThanTheBytesAllocatesNothing) {
  StateWriter writer;
  writer(uint64_t{1} << 60);
  EXPECT_FALSE(Reads<std::vector<double>>(writer.bytes()));
}

}  // namespace
}  // namespace gnomon
