// SPDX-License-Identifier: Apache-2.0
#include "signals/signals_toml.h"

#include "base/error.h"
#include "gmock/gmock.h"

namespace gnomon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

absl::Status Read(const std::string& text, SignalsConfig* config) {
  const toml::table table = toml::parse(std::string_view(text), std::string_view("g.toml"));
  for (const auto& [name, node] : *table.get_as<toml::table>("signals")) {
    GNOMON_RETURN_IF_ERROR(ReadSignals("signals." + std::string(name.str()), node, "g.toml", config));
  }
  return CheckSignals(*config);
}

constexpr char kPrometheus[] = "[[signals.prometheus]]\nname = \"main\"\nurl = \"http://127.0.0.1:9090\"\n";
constexpr char kMetric[] = "[[signals.metric]]\nnetwork = \"n\"\ntype = \"web\"\nas = \"driver\"\n";

TEST(SignalsToml, AWholeSectionIsRead) {
  SignalsConfig config;
  const absl::Status read = Read(R"toml(
[[signals.prometheus]]
name = "main"
url = "https://prometheus.example/api"
username = "gnomon"
password_file = "/run/password"
ca_file = "ca.pem"
cert_file = "c.pem"
key_file = "k.pem"
headers = { X-Scope-OrgID = "acme" }
interval = "30s"
timeout = "5s"
[[signals.metric]]
network = "prod"
type = "web"
as = "demand"
of = "creations_total"
source = "main"
query = "sum(created_total)"
[[signals.metric]]
network = "prod"
type = "db"
as = "desired"
match = 'replicas{name="db"}'
combine = "max"
step = "5s"
)toml", &config);
  ASSERT_TRUE(read.ok()) << read;
  ASSERT_EQ(config.prometheus.size(), 1u);
  EXPECT_EQ(config.prometheus[0].username, "gnomon");
  EXPECT_EQ(config.prometheus[0].interval, absl::Seconds(30));
  EXPECT_EQ(config.prometheus[0].headers.at(0), (std::pair<std::string, std::string>("X-Scope-OrgID", "acme")));
  ASSERT_EQ(config.metrics.size(), 2u);
  EXPECT_TRUE(config.metrics[0].increases());
  EXPECT_EQ(config.metrics[0].query, "sum(created_total)");
  EXPECT_EQ(config.metrics[1].combine, MetricCombine::kMax);
  EXPECT_EQ(config.metrics[1].step, absl::Seconds(5));
  EXPECT_EQ(config.metrics[1].match->text(), "replicas{name=\"db\"}");
}

TEST(SignalsToml, AnErrorNamesItsLineAndWhatWasMeant) {
  const std::string prometheus = kPrometheus, metric = kMetric;
  struct Case {
    std::string text, code, start, message, hint;
  };
  const Case cases[] = {
      {"[signals]\nprometheus = 1\n", "INVALID_SETTING", "g.toml:2: ", "[[signals.prometheus]]", ""},
      {prometheus + "intervall = \"15s\"\n", "UNKNOWN_SETTING", "g.toml:4: ", "intervall", "\"interval\""},
      {prometheus + "interval = \"15\"\n", "INVALID_SETTING", "g.toml:4: ", "signals.prometheus.interval \"15\"", ""},
      {prometheus + "interval = \"1500ms\"\n", "INVALID_SETTING", "g.toml:4: ", "whole seconds", ""},
      {prometheus + "username = \"a\"\n", "INVALID_SETTING", "g.toml:1: ", "password_file", ""},
      {prometheus + "headers = { a = \"b\\nc\" }\n", "INVALID_SETTING", "g.toml:4: ", "a header", ""},
      {prometheus + prometheus, "INVALID_SETTING", "g.toml:4: ", "one alone", ""},
      {"[[signals.prometheus]]\nname = \"a b\"\n", "INVALID_SETTING", "g.toml:2: ", "a name", ""},
      {"[[signals.prometheus]]\nname = \"a\"\nurl = \"127.0.0.1\"\n", "INVALID_SETTING", "g.toml:1: ", "a URL", ""},
      {metric, "INVALID_SETTING", "g.toml:1: ", "either match, or query", ""},
      {metric + "match = \"a{b=~'c'}\"\n", "INVALID_SELECTOR", "g.toml:5: ", "regular expression", "begin*"},
      {metric + "query = \"up\"\n", "INVALID_SETTING", "g.toml:1: ", "signals.metric.source", ""},
      {metric + "query = \"up\"\nsource = \"main\"\n", "INVALID_SETTING", "", "the name of a [[signals.prometheus]]", ""},
      {metric + "match = \"a\"\nof = \"instances\"\n", "INVALID_SETTING", "g.toml:1: ", "unless as", ""},
      {metric + "match = \"a\"\ncombine = \"min\"\n", "INVALID_SETTING", "g.toml:6: ", "sum, max, mean", ""},
      {"[[signals.metric]]\nnetwork = \"n\"\ntype = \"w\"\nmatch = \"a\"\n", "INVALID_SETTING", "g.toml:1: ", "demand, driver or desired", ""},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    SignalsConfig config;
    const absl::Status error = Read(one.text, &config);
    EXPECT_EQ(CodeOf(error), one.code) << error;
    EXPECT_THAT(std::string(error.message()), AllOf(StartsWith(one.start), HasSubstr(one.message)));
    EXPECT_THAT(PartsOf(error).hint, HasSubstr(one.hint));
  }
}

}  // namespace
}  // namespace gnomon
