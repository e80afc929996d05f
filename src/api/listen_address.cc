// SPDX-License-Identifier: Apache-2.0
#include "api/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/absl_view.h"
#include "base/error.h"

namespace gnomon {
namespace {

Error Invalid(std::string_view text, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_LISTEN",
               absl::StrCat("cannot listen on \"", Excerpt(text), "\": ", AbslView(why)))
      .Field("listen")
      .Value(text)
      .Hint("write 127.0.0.1:8080, [::1]:8080 or unix:/path/of.sock");
}

// Whether `ip` is an address, and if so whether it is loopback.
bool ParseIp(const std::string& ip, bool* loopback) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, ip.c_str(), &v4) == 1) {
    *loopback = (ntohl(v4.s_addr) >> 24) == 127;
    return true;
  }
  if (inet_pton(AF_INET6, ip.c_str(), &v6) == 1) {
    *loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    return true;
  }
  return false;
}

}  // namespace

std::string ListenAddress::ToString() const {
  if (!unix_path.empty()) return absl::StrCat("unix:", unix_path);
  const bool v6 = ip.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", ip, "]:", port) : absl::StrCat(ip, ":", port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  ListenAddress address;
  if (text.substr(0, 5) == "unix:") {
    address.unix_path = text.substr(5);
    if (address.unix_path.empty() || address.unix_path.front() != '/') return Invalid(text, "the path is not absolute");
    if (address.unix_path.size() >= sizeof(sockaddr_un::sun_path)) return Invalid(text, "the path is too long");
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Invalid(text, "it has no port");
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return Invalid(text, "its port is not 0 to 65535");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.ip = host.empty() ? "0.0.0.0" : host == "localhost" ? "127.0.0.1" : std::string(host);
  if (bracketed != (address.ip.find(':') != std::string::npos)) return Invalid(text, "IPv6 needs brackets, IPv4 none");
  if (!ParseIp(address.ip, &address.loopback)) return Invalid(text, "it does not begin with an IP address");
  return address;
}

}  // namespace gnomon
