// SPDX-License-Identifier: Apache-2.0
#include "api/auth.h"

#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

HttpPeer MakePeer(bool loopback, bool unix_socket) {
  HttpPeer peer;
  peer.loopback = loopback;
  peer.unix_socket = unix_socket;
  return peer;
}

struct Asked {
  HttpPeer peer;
  HttpMethod method = HttpMethod::kGet;
  std::vector<std::pair<std::string, std::string>> headers;
};

// The status of the refusal, 0 if there is none.
int Admit(const Gate& gate, const Asked& asked, Principal* principal = nullptr, std::string* body = nullptr) {
  HttpRequest request;
  request.peer = &asked.peer;
  request.method = asked.method;
  for (const auto& [name, value] : asked.headers) request.headers.emplace_back(name, value);
  const auto refused = gate.Admit(&request);
  if (principal != nullptr) *principal = request.principal;
  if (refused && body != nullptr) *body = refused->body;
  return refused ? refused->status : 0;
}

const std::vector<ListenAddress>& Loopback() {
  static const auto* const kListen = new std::vector<ListenAddress>{ParseListenAddress("127.0.0.1:8080").value()};
  return *kListen;
}

TEST(AuthTest, NoWebPageCanDriveALoopbackServer) {
  struct Case {
    std::string name;
    HttpMethod method;
    std::vector<std::pair<std::string, std::string>> headers;
    int want;
  };
  const Case cases[] = {
      {"curl", HttpMethod::kGet, {{"Host", "127.0.0.1:8080"}}, 0},
      {"localhost", HttpMethod::kGet, {{"Host", "LocalHost:8080"}}, 0},
      {"IPv6", HttpMethod::kGet, {{"Host", "[::1]:8080"}}, 0},
      {"rebinding", HttpMethod::kGet, {{"Host", "evil.example:8080"}}, 403},
      {"looks like it", HttpMethod::kGet, {{"Host", "127.0.0.1.evil.example"}}, 403},
      {"broken host", HttpMethod::kGet, {{"Host", "[::1"}}, 403},
      {"text behind the bracket", HttpMethod::kGet, {{"Host", "[::1].evil.example"}}, 403},
      {"no host", HttpMethod::kGet, {}, 403},
      {"foreign page", HttpMethod::kGet, {{"Host", "localhost:8080"}, {"Origin", "http://evil.example"}}, 403},
      {"sandboxed page", HttpMethod::kGet, {{"Host", "localhost:8080"}, {"Origin", "null"}}, 403},
      {"another port", HttpMethod::kGet, {{"Host", "localhost:8080"}, {"Origin", "http://localhost:9"}}, 403},
      {"own page", HttpMethod::kGet, {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}, 0},
      {"form", HttpMethod::kPost, {{"Host", "localhost"}, {"Content-Type", "text/plain"}}, 415},
      {"no type", HttpMethod::kPatch, {{"Host", "localhost"}}, 415},
      {"json", HttpMethod::kPost, {{"Host", "localhost"}, {"Content-Type", "Application/JSON; charset=utf-8"}}, 0},
      {"delete", HttpMethod::kDelete, {{"Host", "localhost"}}, 0},
  };
  const Gate gate({}, Loopback());
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(Admit(gate, {MakePeer(true, false), test.method, test.headers}), test.want);
  }
}

TEST(AuthTest, ATokenIsRecognisedAndNothingElseIs) {
  const NewToken made = MakeToken("ci", Role::kAllocator, {"prod"}).value();
  const Gate gate({made.token}, Loopback());
  const auto ask = [&](const std::string& header, Principal* principal = nullptr) {
    return Admit(gate, {MakePeer(false, false), HttpMethod::kGet, {{"Host", "x"}, {"Authorization", header}}}, principal);
  };
  Principal principal;
  EXPECT_EQ(ask("Bearer " + made.text, &principal), 0);
  EXPECT_EQ(principal.id, "ci");
  EXPECT_EQ(principal.role, Role::kAllocator);
  EXPECT_TRUE(principal.MayUse("prod"));
  EXPECT_FALSE(principal.MayUse("test"));
  std::string wrong = made.text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  EXPECT_EQ(ask("Bearer " + wrong), 401);
  EXPECT_EQ(ask("Bearer gnm_other" + made.text.substr(6)), 401);
  EXPECT_EQ(ask("Bearer gnm_."), 401);
  EXPECT_EQ(ask("Bearer"), 401);
  EXPECT_EQ(ask("Basic abc"), 401);
  EXPECT_EQ(Admit(gate, {MakePeer(false, false), HttpMethod::kGet, {{"Host", "x"}}}), 401);
  // The hash, sent as the secret, opens nothing.
  EXPECT_EQ(ask("Bearer gnm_ci." + made.token.hash), 401);
}

TEST(AuthTest, LoopbackNeedsATokenOnceThereIsOneAndTheUnixSocketDoesNot) {
  const NewToken made = MakeToken("a", Role::kViewer, {}).value();
  const Gate gate({made.token}, Loopback());
  EXPECT_EQ(Admit(gate, {MakePeer(true, false), HttpMethod::kGet, {{"Host", "localhost"}}}), 401);
  Principal principal;
  EXPECT_EQ(Admit(gate, {MakePeer(false, true), HttpMethod::kGet, {{"Host", "x"}}}, &principal), 0);
  EXPECT_EQ(principal.role, Role::kAdmin);
  EXPECT_EQ(Admit(Gate({}, Loopback()), {MakePeer(false, false), HttpMethod::kGet, {{"Host", "x"}}}), 401);
}

TEST(AuthTest, TokensDifferAndHoldNoSecret) {
  const NewToken one = MakeToken("a", Role::kAdmin, {}).value(), two = MakeToken("a", Role::kAdmin, {}).value();
  EXPECT_NE(one.text, two.text);
  EXPECT_EQ(one.token.hash.find(one.text.substr(6)), std::string::npos);
  EXPECT_TRUE(CheckToken(one.token).ok());
  EXPECT_EQ(CodeOf(MakeToken("a.b", Role::kAdmin, {}).status()), "INVALID_TOKEN_ID");
  EXPECT_EQ(CodeOf(CheckToken({"a", "sha256:00:00", Role::kAdmin, {}})), "INVALID_TOKEN");
}

}  // namespace
}  // namespace gnomon
