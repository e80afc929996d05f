// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows Boost.Beast: its basic_parser calls us back with each part of a request.
#include "api/http_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace gnomon {
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

// A body's buffer larger than this is given back after its request, so that idle connections stay small.
constexpr size_t kKeptBodyBytes = 64 << 10;

HttpMethod MethodOf(http::verb verb) {
  switch (verb) {
    case http::verb::get: return HttpMethod::kGet;
    case http::verb::head: return HttpMethod::kHead;
    case http::verb::post: return HttpMethod::kPost;
    case http::verb::put: return HttpMethod::kPut;
    case http::verb::patch: return HttpMethod::kPatch;
    case http::verb::delete_: return HttpMethod::kDelete;
    default: return HttpMethod::kOther;
  }
}

// A part of `text` while `text` may still move.
struct Span {
  size_t begin = 0, size = 0;
};

// What has been taken of one request. The buffers keep their capacity from one request to the next.
struct Parts {
  std::string text;  // the request line's words and all headers, one after the other
  std::string body;
  Span method, target;
  std::vector<std::pair<Span, Span>> fields;
  http::verb verb = http::verb::unknown;
  bool header_done = false, bad_encoding = false, expects_continue = false;
  int hosts = 0, version = 11;

  Span Add(beast::string_view piece) {
    const Span span{text.size(), piece.size()};
    text.append(piece.data(), piece.size());
    return span;
  }
  std::string_view View(Span span) const { return std::string_view(text).substr(span.begin, span.size); }

  void Clear() {
    text.clear();
    fields.clear();
    if (body.capacity() > kKeptBodyBytes) body = std::string();
    body.clear();
    header_done = bad_encoding = expects_continue = false;
    hosts = 0;
    version = 11;
  }
};

class Parser final : public http::basic_parser<true> {
 public:
  explicit Parser(Parts* parts) : parts_(*parts) {}

 private:
  void on_request_impl(http::verb verb, beast::string_view method, beast::string_view target, int version,
                       beast::error_code&) override {
    parts_.version = version;
    parts_.verb = verb;
    parts_.method = parts_.Add(method);
    parts_.target = parts_.Add(target);
  }
  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
  void on_field_impl(http::field name, beast::string_view name_text, beast::string_view value, beast::error_code&) override {
    if (parts_.header_done) return;  // trailers say nothing to us
    if (name == http::field::transfer_encoding && !beast::iequals(value, "chunked")) parts_.bad_encoding = true;
    if (name == http::field::expect && beast::iequals(value, "100-continue")) parts_.expects_continue = true;
    if (name == http::field::host) ++parts_.hosts;
    const Span key = parts_.Add(name_text);
    parts_.fields.emplace_back(key, parts_.Add(value));
  }
  void on_header_impl(beast::error_code&) override { parts_.header_done = true; }
  void on_body_init_impl(const boost::optional<uint64_t>&, beast::error_code&) override {}
  size_t on_body_impl(beast::string_view piece, beast::error_code&) override {
    parts_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(uint64_t, beast::string_view, beast::error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, beast::string_view piece, beast::error_code&) override {
    parts_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(beast::error_code&) override {}

  Parts& parts_;
};

}  // namespace

class HttpParser::Impl {
 public:
  Parts parts;
  std::optional<Parser> parser;
};

HttpParser::HttpParser(const HttpLimits& limits) : limits_(limits), impl_(std::make_unique<Impl>()) { Reset(); }
HttpParser::~HttpParser() = default;

void HttpParser::Reset() {
  impl_->parts.Clear();
  request_.method = HttpMethod::kOther;
  impl_->parser.emplace(&impl_->parts);
  impl_->parser->eager(true);
  impl_->parser->header_limit(static_cast<uint32_t>(limits_.header_bytes));
  impl_->parser->body_limit(limits_.body_bytes);
}

bool HttpParser::header_done() const { return impl_->parts.header_done; }
bool HttpParser::expects_continue() const { return impl_->parts.expects_continue; }
bool HttpParser::keep_alive() const { return impl_->parser->keep_alive(); }
bool HttpParser::http_1_0() const { return impl_->parts.version < 11; }

HttpParser::Result HttpParser::Bad(int status, std::string_view code, std::string_view detail) {
  error_status_ = status;
  error_code_ = code;
  error_detail_ = detail;
  return Result::kBad;
}

HttpParser::Result HttpParser::Feed(std::string_view bytes, size_t* consumed) {
  *consumed = 0;
  Parser& parser = *impl_->parser;
  while (*consumed < bytes.size() && !parser.is_done()) {
    const bool had_header = impl_->parts.header_done;
    beast::error_code error;
    const size_t taken =
        parser.put(boost::asio::const_buffer(bytes.data() + *consumed, bytes.size() - *consumed), error);
    *consumed += taken;
    if (!had_header && impl_->parts.bad_encoding) {
      return Bad(501, "UNSUPPORTED_TRANSFER_ENCODING", "only chunked is understood in Transfer-Encoding");
    }
    if (error == http::error::header_limit) {
      return Bad(431, "HEADERS_TOO_LARGE",
                 absl::StrCat("the request line and headers are longer than ", limits_.header_bytes, " bytes"));
    }
    if (error == http::error::body_limit) {
      return Bad(413, "BODY_TOO_LARGE", absl::StrCat("the body is longer than ", limits_.body_bytes, " bytes"));
    }
    if (error == http::error::need_more || (!error && taken == 0)) return Result::kNeedMore;
    if (error) return Bad(400, "MALFORMED_REQUEST", absl::StrCat("not HTTP/1.1: ", error.message()));
  }
  return parser.is_done() ? Finish() : Result::kNeedMore;
}

// The spans become views, now that the text no longer moves.
HttpParser::Result HttpParser::Finish() {
  const Parts& parts = impl_->parts;
  request_.method = MethodOf(parts.verb);
  request_.method_name = parts.View(parts.method);
  request_.target = parts.View(parts.target);
  request_.body = parts.body;
  request_.headers.clear();
  for (const auto& [key, value] : parts.fields) request_.headers.emplace_back(parts.View(key), parts.View(value));
  request_.principal = Principal();
  request_.query.clear();

  if (parts.hosts > 1 || (parts.hosts == 0 && !http_1_0())) {
    return Bad(400, "INVALID_HOST", "a request needs exactly one Host header");
  }
  if (request_.target.empty() || request_.target.front() != '/') {
    return Bad(400, "INVALID_TARGET", "the request's target does not begin with /");
  }
  const size_t question = request_.target.find('?');
  request_.path = request_.target.substr(0, question);
  if (question != std::string_view::npos && !ParseQuery(request_.target.substr(question + 1), &request_.query)) {
    return Bad(400, "INVALID_QUERY", "the query holds a % that is not followed by two hex digits");
  }
  return Result::kDone;
}

}  // namespace gnomon
