// SPDX-License-Identifier: Apache-2.0
#include "api/config.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/temp_folder.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ConfigTest, TheAuditLogIsBesideTheStoreUnlessItIsElsewhereOrOff) {
  Config config;
  config.data_dir = "/data";
  EXPECT_EQ(config.AuditFile(), "/data/audit.log");
  ASSERT_TRUE(MergeToml("audit.file = \"/var/log/audit\"", "g.toml", &config).ok());
  EXPECT_EQ(config.AuditFile(), "/var/log/audit");
  ASSERT_TRUE(MergeToml("audit.file = \"\"", "g.toml", &config).ok());
  EXPECT_EQ(config.AuditFile(), "");
}

TEST(ConfigTest, AWholeFileIsRead) {
  const Token token = MakeToken("ci", Role::kAllocator, {"prod", "test"}).value().token;
  Config config;
  const absl::Status merged = MergeToml(absl::StrCat(R"(
listen = ["127.0.0.1:9000", "unix:/run/gnomon.sock"]
data_dir = "/data"
shards = 4
http_threads = 2
time_scale = 300
audit.file = "/var/log/audit"
[tls]
cert = "c.pem"
key = "k.pem"
client_ca = "ca.pem"
[limits]
body_bytes = 2048
idle_timeout = "5s"
[log]
level = "debug"
)", TokenAsToml(token)), "g.toml", &config);
  ASSERT_TRUE(merged.ok()) << merged;
  ASSERT_EQ(config.listen.size(), 2u);
  EXPECT_EQ(config.listen[0].port, 9000);
  EXPECT_EQ(config.listen[1].unix_path, "/run/gnomon.sock");
  EXPECT_EQ(config.data_dir, "/data");
  EXPECT_EQ(config.shards, 4);
  EXPECT_EQ(config.http_threads, 2);
  EXPECT_EQ(config.time_scale, 300);
  EXPECT_EQ(config.audit_file, "/var/log/audit");
  EXPECT_EQ(config.tls_client_ca, "ca.pem");
  EXPECT_EQ(config.limits.body_bytes, 2048u);
  EXPECT_EQ(config.limits.idle_timeout, absl::Seconds(5));
  EXPECT_EQ(config.log_level, "debug");
  ASSERT_EQ(config.tokens.size(), 1u);
  EXPECT_EQ(config.tokens[0].hash, token.hash);
  EXPECT_EQ(config.tokens[0].role, Role::kAllocator);
  EXPECT_EQ(config.tokens[0].networks.size(), 2u);
}

TEST(ConfigTest, AnErrorNamesItsLineAndWhatWasMeant) {
  struct Case {
    std::string text, code, start, hint;
  };
  const Case cases[] = {
      {"\nshard = 4\n", "UNKNOWN_SETTING", "g.toml:2: ", "\"shards\""},
      {"[limits]\nbody_byte = 4\n", "UNKNOWN_SETTING", "g.toml:2: ", "\"limits.body_bytes\""},
      {"[limit]\nbody_bytes = 4\n", "UNKNOWN_SETTING", "g.toml:1: ", ""},
      {"shards = 0\n", "INVALID_SETTING", "g.toml:1: ", ""},
      {"shards = \"many\"\n", "INVALID_SETTING", "g.toml:1: ", ""},
      {"shards = [1]\n", "INVALID_SETTING", "g.toml:1: ", ""},
      {"listen = \"example.com:80\"\n", "INVALID_LISTEN", "g.toml:1: ", "127.0.0.1:8080"},
      {"listen = \"127.0.0.1:99999\"\n", "INVALID_LISTEN", "g.toml:1: ", ""},
      {"limits.idle_timeout = 5\n", "INVALID_SETTING", "g.toml:1: ", ""},
      {"[signals]\nprometeus = 1\n", "UNKNOWN_SETTING", "g.toml:2: ", ""},
      {"[[signals.prometheus]]\nnme = \"a\"\n", "UNKNOWN_SETTING", "g.toml:2: ", "\"name\""},
      {"a = = 1\n", "INVALID_TOML", "g.toml:1: ", ""},
      {"\n[[tokens]]\nid = \"a\"\nhash = \"plain\"\nrole = \"admin\"\n", "INVALID_TOKEN", "g.toml:2: ", "--make-token"},
      {"[[tokens]]\nid = \"a\"\nrol = \"admin\"\n", "UNKNOWN_SETTING", "g.toml:1: ", "\"role\""},
      {"[[tokens]]\nrole = \"king\"\n", "INVALID_SETTING", "g.toml:1: ", ""},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.text);
    Config config;
    const absl::Status error = MergeToml(test.text, "g.toml", &config);
    EXPECT_EQ(CodeOf(error), test.code) << error;
    EXPECT_THAT(std::string(error.message()), StartsWith(test.start));
    EXPECT_THAT(PartsOf(error).hint, HasSubstr(test.hint));
  }
}

TEST(ConfigTest, TheWebhooksOfGithubHaveASecretAndRulesANetwork) {
  TempFolder folder;
  const std::string good = folder.path() + "/good", small = folder.path() + "/small";
  std::ofstream(good) << "0123456789abcdef\n";
  std::ofstream(small) << "short\n";
  const std::string rule = "[[signals.github.rule]]\nlabels = [\"self-hosted\", \"linux\"]\ntype = \"runner\"\n";
  const auto text = [&](const std::string& secret, const std::string& more, const std::string& rules) {
    return absl::StrCat("[[signals.github]]\nnetwork = \"ci\"\nsecret_file = \"", secret, "\"\n", more, rules);
  };
  Config config;
  const absl::Status merged = MergeToml(text(good, "expect_after = \"30s\"\n", rule), "g.toml", &config);
  ASSERT_TRUE(merged.ok()) << merged;
  ASSERT_EQ(config.github.size(), 1u);
  EXPECT_EQ(config.github[0].secret, "0123456789abcdef") << "without the line's end";
  EXPECT_EQ(config.github[0].expect_after, absl::Seconds(30));
  EXPECT_EQ(config.github[0].rules[0].type, "runner");
  struct Case {
    std::string text, code, field;
  };
  for (const Case& c : {Case{text(folder.path() + "/none", "", rule), "INVALID_SETTING", "signals.github.secret_file"},
                        Case{text(small, "", rule), "INVALID_SETTING", "signals.github.secret_file"},
                        Case{text(good, "", ""), "INVALID_SETTING", "signals.github.rule"},
                        Case{text(good, "expect_after = \"2d\"\n", rule), "INVALID_SETTING", "signals.github.expect_after"},
                        Case{text(good, "secrets = 1\n", rule), "UNKNOWN_SETTING", "secrets"},
                        Case{text(good, "", "[[signals.github.rule]]\nlabels = []\ntype = \"a\"\n"), "INVALID_SETTING",
                             "signals.github.rule.labels"},
                        Case{text(good, "", "[[signals.github.rule]]\nlabels = [\"a\"]\ntype = \"a b\"\n"), "INVALID_SETTING",
                             "signals.github.rule.type"},
                        Case{text(good, "", rule) + text(good, "", rule), "INVALID_SETTING", "signals.github.network"},
                        Case{"signals.github = 3", "INVALID_SETTING", "signals.github"},
                        Case{"signals.gitlab = 3", "UNKNOWN_SETTING", "signals.gitlab"}}) {
    Config other;
    const absl::Status status = MergeToml(c.text, "g.toml", &other);
    EXPECT_EQ(CodeOf(status), c.code) << c.text;
    EXPECT_EQ(PartsOf(status).field, c.field) << status;
  }
}

TEST(ConfigTest, TheEnvironmentIsOverTheFile) {
  Config config;
  ASSERT_TRUE(MergeToml("shards = 2\nhttp_threads = 3\n", "f", &config).ok());
  const std::map<std::string, std::string> variables = {
      {"GNOMON_SHARDS", "8"}, {"GNOMON_LIMITS_BODY_BYTES", "4096"}, {"HOME", "/root"}};
  ASSERT_TRUE(MergeEnvironment(variables, &config).ok());
  EXPECT_EQ(config.shards, 8);
  EXPECT_EQ(config.http_threads, 3);
  EXPECT_EQ(config.limits.body_bytes, 4096u);
  const absl::Status error = MergeEnvironment({{"GNOMON_SHARDS", "x"}}, &config);
  EXPECT_THAT(std::string(error.message()), StartsWith("GNOMON_SHARDS: "));
  EXPECT_EQ(PartsOf(MergeEnvironment({{"GNOMON_DATA_DIR", ""}}, &config)).field, "data_dir");
}

TEST(ConfigTest, AMistypedVariableIsRefusedAndThoseOfOthersAreNot) {
  for (const auto& [name, meant] :
       std::map<std::string, std::string>{{"GNOMON_SHARD", "GNOMON_SHARDS"},
                                          {"GNOMON_DATADIR", "GNOMON_DATA_DIR"},
                                          {"GNOMON_TLS_CERTS", "GNOMON_TLS_CERT"},
                                          {"GNOMON_LIMITS_IDLE_TIMOUT", "GNOMON_LIMITS_IDLE_TIMEOUT"}}) {
    Config config;
    const absl::Status refused = MergeEnvironment({{name, "8"}}, &config);
    EXPECT_EQ(CodeOf(refused), "UNKNOWN_SETTING") << name;
    EXPECT_EQ(PartsOf(refused).field, name);
    EXPECT_EQ(PartsOf(refused).hint, "did you mean " + meant + "?");
  }
  // gnomon's own, what Kubernetes tells of a service named gnomon, and what tests read.
  for (const std::string name : {"GNOMON_SERVER", "GNOMON_NETWORK", "GNOMON_TOKEN_FILE", "GNOMON_CA_FILE",
                                 "GNOMON_CERT_FILE", "GNOMON_KEY_FILE", "GNOMON_PORT", "GNOMON_PORT_8080_TCP_ADDR",
                                 "GNOMON_SERVICE_HOST", "GNOMON_SERVICE_PORT", "GNOMON_MODEL_OPS", "GNOMONSHARD"}) {
    Config config;
    EXPECT_TRUE(MergeEnvironment({{name, "8"}}, &config).ok()) << name;
  }
}

TEST(ConfigTest, WhatOthersCanReachNeedsTlsAndTokens) {
  struct Case {
    std::string name, text, code;
    bool token;
  };
  const Case cases[] = {
      {"the default", "", "", false},
      {"all of 127/8", "listen = \"127.9.9.9:1\"", "", false},
      {"IPv6 loopback", "listen = \"[::1]:1\"", "", false},
      {"unix", "listen = \"unix:/s\"", "", false},
      {"scaled on loopback", "time_scale = 300", "", false},
      {"every address", "listen = \":80\"", "INSECURE", false},
      {"IPv6 any", "listen = \"[::]:80\"", "INSECURE", true},
      {"one of two", "listen = [\"127.0.0.1:1\", \"10.0.0.1:1\"]", "INSECURE", true},
      {"TLS alone", "listen = \":80\"\ntls.cert = \"c\"\ntls.key = \"k\"", "INSECURE", false},
      {"both", "listen = \":80\"\ntls.cert = \"c\"\ntls.key = \"k\"", "", true},
      {"scaled", "listen = \":80\"\ntls.cert = \"c\"\ntls.key = \"k\"\ntime_scale = 2", "INSECURE", true},
      {"half a pair", "tls.cert = \"c\"", "INVALID_SETTING", false},
      {"an authority alone", "tls.client_ca = \"c\"", "INVALID_SETTING", false},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    Config config;
    ASSERT_TRUE(MergeToml(test.text, "f", &config).ok());
    if (test.token) config.tokens.push_back(MakeToken("a", Role::kAdmin, {}).value().token);
    EXPECT_EQ(CodeOf(Validate(config)), test.code);
  }
}

}  // namespace
}  // namespace gnomon
