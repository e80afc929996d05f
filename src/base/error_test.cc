// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/absl_view.h"

namespace gnomon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Error PoolFull() { return Error(absl::StatusCode::kResourceExhausted, "POOL_FULL", "pool 10.0.0.0/24 is full"); }

template <typename T>
absl::StatusOr<T> Refuse() {
  return PoolFull();
}

TEST(Error, BecomesAStatusWithItsCodeAndMessage) {
  absl::Status status = PoolFull();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "pool 10.0.0.0/24 is full");
  EXPECT_EQ(CodeOf(status), "POOL_FULL");
}

TEST(Error, CarriesAllItsAttributes) {
  absl::Status status = PoolFull().Field("pools[2]").Value("10.0.0.0/24").Hint("add a pool");
  ErrorParts parts = PartsOf(status);
  EXPECT_EQ(parts.code, "POOL_FULL");
  EXPECT_EQ(parts.field, "pools[2]");
  EXPECT_EQ(parts.value, "10.0.0.0/24");
  EXPECT_EQ(parts.hint, "add a pool");
  EXPECT_THAT(parts.numbers, IsEmpty());
}

TEST(Error, AmendedKeepsWhatIsNotSaidAnew) {
  const absl::Status full = PoolFull().Field("pool").Value("a").Hint("add a pool").Number("free", 0);
  const absl::Status amended = Error(full).Before("line 3").Item(7).Field("instances[7].pool");
  EXPECT_EQ(amended.code(), full.code());
  EXPECT_EQ(amended.message(), "line 3: pool 10.0.0.0/24 is full");
  const ErrorParts parts = PartsOf(amended);
  EXPECT_EQ(parts.code, "POOL_FULL");
  EXPECT_EQ(parts.field, "instances[7].pool");
  EXPECT_EQ(parts.value, "a");
  EXPECT_EQ(parts.hint, "add a pool");
  EXPECT_THAT(parts.numbers, ElementsAre(Pair("free", 0)));
  EXPECT_EQ(parts.item, 7u);
  EXPECT_EQ(PartsOf(full).item, std::nullopt);
  EXPECT_EQ(PartsOf(Error(absl::InternalError("from elsewhere")).Before("here")).code, "");
}

TEST(Error, KeepsTheOrderOfItsNumbers) {
  absl::Status status =
      PoolFull().Number("zeta", 254).Number("alpha", -1).Number("a=b", INT64_MIN).Number("", INT64_MAX);
  EXPECT_THAT(PartsOf(status).numbers,
              ElementsAre(Pair("zeta", 254), Pair("alpha", -1), Pair("a=b", INT64_MIN), Pair("", INT64_MAX)));
}

TEST(Error, TheLastValueOfAnAttributeHolds) { EXPECT_EQ(PartsOf(PoolFull().Field("a").Field("b")).field, "b"); }

TEST(Error, BecomesAStatusOrOfAnyType) {
  EXPECT_EQ(CodeOf(Refuse<int>().status()), "POOL_FULL");
  EXPECT_EQ(CodeOf(Refuse<std::string>().status()), "POOL_FULL");
  EXPECT_EQ(CodeOf(Refuse<std::unique_ptr<int>>().status()), "POOL_FULL");
  EXPECT_EQ(CodeOf(Refuse<std::vector<std::string>>().status()), "POOL_FULL");
}

TEST(Error, SurvivesACopyOfItsStatus) {
  absl::Status copy;
  {
    absl::Status status = PoolFull().Number("assigned", 254);
    copy = status;
  }
  EXPECT_THAT(PartsOf(copy).numbers, ElementsAre(Pair("assigned", 254)));
}

TEST(ErrorDeathTest, IsNeverOk) {
  EXPECT_DEATH(Error(absl::StatusCode::kOk, "FINE", ""), "CHECK failed");
  EXPECT_DEATH(Error{absl::OkStatus()}, "CHECK failed");
}

TEST(PartsOf, AStatusNotMadeByErrorHasNoCode) {
  for (const absl::Status& status : {absl::OkStatus(), absl::InternalError("from elsewhere")}) {
    ErrorParts parts = PartsOf(status);
    EXPECT_EQ(parts.code + parts.field + parts.value + parts.hint, "") << status;
    EXPECT_THAT(parts.numbers, IsEmpty()) << status;
    EXPECT_EQ(CodeOf(status), "");
  }
}

TEST(PartsOf, MalformedNumbersAreIgnored) {
  struct Case {
    std::string_view payload;
    size_t want;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"", 0}, {"a=1", 1}, {"a=1\nb=2", 2}, {"a", 0}, {"a\nb=2\n", 1}, {"a=x\nb=2\n", 1}, {"\n\n", 0}}) {
    absl::Status status = PoolFull();
    status.SetPayload("gnomon/numbers", absl::Cord(AbslView(c.payload)));
    EXPECT_EQ(PartsOf(status).numbers.size(), c.want) << c.payload;
  }
}

TEST(Excerpt, IsShortPrintableAscii) {
  struct Case {
    std::string_view input;
    std::string want;
  };
  const Case kCases[] = {
      {"", ""},
      {"10.0.0.1", "10.0.0.1"},
      {std::string_view("a\nb\0z", 5), "a\\nb\\x00z"},
      {"\xc3\xa9\xff", "\\xc3\\xa9\\xff"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Excerpt(c.input), c.want);
  EXPECT_EQ(Excerpt(std::string(1000, 'x')), std::string(64, 'x'));
}

class Guarded {
 public:
  // Its member has the name that a careless macro would take for its temporary.
  absl::Status Check() {
    GNOMON_RETURN_IF_ERROR(status_);
    auto inner = [this]() -> absl::Status {
      GNOMON_RETURN_IF_ERROR(status_);
      return absl::OkStatus();
    };
    GNOMON_RETURN_IF_ERROR(inner());
    return absl::AbortedError("reached the end");
  }
  absl::Status status_;
};

TEST(Macros, ReturnIfErrorReturnsTheErrorAlone) {
  Guarded guarded;
  EXPECT_EQ(guarded.Check().code(), absl::StatusCode::kAborted);
  guarded.status_ = PoolFull();
  EXPECT_EQ(CodeOf(guarded.Check()), "POOL_FULL");
}

absl::StatusOr<int> Sum(absl::StatusOr<int> a, absl::StatusOr<int> b) {
  GNOMON_ASSIGN_OR_RETURN(int left, a);
  int right = 0;
  GNOMON_ASSIGN_OR_RETURN(right, b);
  return left + right;
}

TEST(Macros, AssignOrReturnAssignsOrReturns) {
  EXPECT_EQ(*Sum(1, 2), 3);
  EXPECT_EQ(CodeOf(Sum(PoolFull(), 2).status()), "POOL_FULL");
  EXPECT_EQ(CodeOf(Sum(1, PoolFull()).status()), "POOL_FULL");
}

TEST(Macros, AssignOrReturnMovesWhatItAssigns) {
  auto unwrap = [](absl::StatusOr<std::unique_ptr<int>> owned) -> absl::StatusOr<int> {
    GNOMON_ASSIGN_OR_RETURN(std::unique_ptr<int> value, std::move(owned));
    return *value;
  };
  EXPECT_EQ(*unwrap(std::make_unique<int>(7)), 7);
}

}  // namespace
}  // namespace gnomon
