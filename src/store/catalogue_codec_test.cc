// SPDX-License-Identifier: Apache-2.0
#include "store/catalogue_codec.h"

#include "base/error.h"
#include "gtest/gtest.h"

namespace gnomon {
namespace {

const NetworkEntry kNetwork{
    .id = NetworkId{1ull << 40},
    .name = "prod",
    .account = "acme",
    .vni = 16777215,
    .warm = {.target = 8, .by_type = {{"ci", 0}, {"web", 300}}, .mode = PredictionMode::kReserve, .hit_rate = 0.95,
             .costs = Costs{9, 1}, .min_shadows = 2, .max_shadows = 500,
             .types = {{"web", {.mode = PredictionMode::kObserve, .hit_rate = 0.9, .costs = Costs{3, 1}, .min_shadows = 1,
                                .max_shadows = 7}},
                       {"none", {}}}},
    .deleting = true};
const HostEntry kHost{.name = "h1", .physical_address = Ip::V4(0xc0000201)};

TEST(CatalogueCodecTest, WhatIsEncodedIsDecodedTheSame) {
  const Op network = EncodeCatalogueChange(kNetwork), host = EncodeCatalogueChange(kHost);
  EXPECT_EQ(std::get<NetworkEntry>(DecodeCatalogue(network.key, *network.value).value()), kNetwork);
  EXPECT_EQ(std::get<HostEntry>(DecodeCatalogue(host.key, *host.value).value()), kHost);
  const Op meta = EncodeCatalogueMeta({.last_id = NetworkId{77}});
  EXPECT_EQ(std::get<CatalogueMeta>(DecodeCatalogue(meta.key, *meta.value).value()).last_id, NetworkId{77});
}

TEST(CatalogueCodecTest, ANetworkOfAnOlderVersionHasTheDefaultsOfWhatItLacks) {
  const Op network = EncodeCatalogueChange(kNetwork);
  std::string old = *network.value;
  NetworkEntry want = kNetwork;
  want.warm.costs = {};
  want.warm.min_shadows = 0;
  want.warm.max_shadows = Network::kMaxPredicted;
  want.warm.types = {};
  const size_t bare = EncodeCatalogueChange(want).value->size();
  old.resize(bare - 6);  // no costs, no floor, a ceiling of three bytes, no types
  old[0] = 2;
  EXPECT_EQ(std::get<NetworkEntry>(DecodeCatalogue(network.key, old).value()), want);
  old[0] = 1;
  old.resize(old.size() - 9);  // the mode and the hit rate
  want.warm.mode = PredictionMode::kOff;
  want.warm.hit_rate = 0.99;
  EXPECT_EQ(std::get<NetworkEntry>(DecodeCatalogue(network.key, old).value()), want);
}

TEST(CatalogueCodecTest, ARecordOfALaterVersionIsTooNew) {
  for (const auto& [op, later] :
       {std::pair(EncodeCatalogueChange(kNetwork), '\4'), std::pair(EncodeCatalogueChange(kHost), '\2')}) {
    std::string value = *op.value;
    value[0] = later;
    EXPECT_EQ(CodeOf(DecodeCatalogue(op.key, value).status()), "STORE_TOO_NEW");
  }
}

TEST(CatalogueCodecTest, AnErasureErasesTheKeyOfItsEntry) {
  EXPECT_EQ(EncodeCatalogueChange(ErasedNetwork{kNetwork.id}).key, EncodeCatalogueChange(kNetwork).key);
  EXPECT_EQ(EncodeCatalogueChange(ErasedHost{kHost.name}).key, EncodeCatalogueChange(kHost).key);
  EXPECT_FALSE(EncodeCatalogueChange(ErasedHost{kHost.name}).value.has_value());
}

TEST(CatalogueCodecTest, ACutKeyOrValueIsRefused) {
  for (const Op& op : {EncodeCatalogueChange(kNetwork), EncodeCatalogueChange(kHost), EncodeCatalogueMeta({})}) {
    for (size_t size = 0; size < op.key.size(); ++size) {
      EXPECT_EQ(CodeOf(DecodeCatalogue(op.key.substr(0, size), *op.value).status()), "STORE_CORRUPT");
    }
    for (size_t size = 0; size < op.value->size(); ++size) {
      EXPECT_EQ(CodeOf(DecodeCatalogue(op.key, op.value->substr(0, size)).status()), "STORE_CORRUPT");
    }
    EXPECT_EQ(CodeOf(DecodeCatalogue(op.key, *op.value + "x").status()), "STORE_CORRUPT");
  }
}

}  // namespace
}  // namespace gnomon
