// SPDX-License-Identifier: Apache-2.0
#include "api/router.h"

#include "gtest/gtest.h"

namespace gnomon {
namespace {

using M = HttpMethod;

Router Example() {
  return Router({{M::kGet, "/a", Role::kNone, nullptr},
                 {M::kPost, "/a:batch", Role::kNone, nullptr},
                 {M::kGet, "/a/{x}", Role::kNone, nullptr},
                 {M::kDelete, "/a/{x}", Role::kNone, nullptr},
                 {M::kPost, "/a/{x}:move", Role::kNone, nullptr},
                 {M::kGet, "/a/{x}/b/{y}", Role::kNone, nullptr}});
}

TEST(RouterTest, FindsTheRouteOfAPathAndItsArgumentsDecoded) {
  struct Case {
    M method;
    const char *path, *pattern;
    std::vector<std::string> arguments;
  };
  const Case cases[] = {
      {M::kGet, "/a", "/a", {}},
      {M::kHead, "/a", "/a", {}},
      {M::kPost, "/a:batch", "/a:batch", {}},
      {M::kGet, "/a/1", "/a/{x}", {"1"}},
      {M::kGet, "/a/2001:db8::1", "/a/{x}", {"2001:db8::1"}},
      {M::kGet, "/a/1%2F2%3a3", "/a/{x}", {"1/2:3"}},
      {M::kPost, "/a/1:move", "/a/{x}:move", {"1"}},
      {M::kGet, "/a/1%3Amove", "/a/{x}", {"1:move"}},
      {M::kGet, "/a/1/b/2", "/a/{x}/b/{y}", {"1", "2"}},
  };
  const Router router = Example();
  for (const Case& one : cases) {
    const Router::Match match = router.Find(one.method, one.path);
    ASSERT_NE(match.route, nullptr) << one.path;
    EXPECT_EQ(match.route->pattern, one.pattern) << one.path;
    EXPECT_EQ(match.arguments, one.arguments) << one.path;
  }
}

TEST(RouterTest, TellsWhatAPathWouldAllow) {
  struct Case {
    M method;
    const char *path, *allow;
  };
  const Case cases[] = {
      {M::kPost, "/a", "GET"},        {M::kPut, "/a/1", "GET, DELETE"}, {M::kGet, "/a:batch", "POST"},
      {M::kGet, "/a/1:move", "POST"}, {M::kDelete, "/a/1:move", "POST"}, {M::kGet, "/b", ""},
      {M::kGet, "/a/", ""},           {M::kGet, "/a/1/b", ""},          {M::kGet, "/a/%zz", ""},
      {M::kGet, "", ""},              {M::kGet, "//a", ""},
  };
  const Router router = Example();
  for (const Case& one : cases) {
    const Router::Match match = router.Find(one.method, one.path);
    EXPECT_EQ(match.route, nullptr) << one.path;
    EXPECT_EQ(match.allow, one.allow) << one.path;
  }
}

}  // namespace
}  // namespace gnomon
