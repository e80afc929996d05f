// SPDX-License-Identifier: Apache-2.0
//
// An HttpParser turns the bytes of one connection into requests, one after the other.
//
// Threads: not thread-safe; its connection owns it.
// Limits: HttpLimits' header_bytes and body_bytes. Cost: buffers are reused from request to request.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_message.h"

namespace gnomon {

class HttpParser {
 public:
  enum class Result { kNeedMore, kDone, kBad };

  // `limits` must outlive the parser.
  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();

  // Takes bytes of the current request and says in `consumed` how many; the rest must be offered again with what
  // follows. After kDone, request() is whole until Reset(). After kBad, error_*() say what the answer should be and
  // nothing more may be fed. A request line and headers are taken only when they are whole, so the caller's buffer must
  // be able to hold header_bytes.
  Result Feed(std::string_view bytes, size_t* consumed);
  // Begins the next request; the last one's views dangle.
  void Reset();

  HttpRequest& request() { return request_; }
  bool header_done() const;
  bool expects_continue() const;  // the client waits for "100 Continue" before it sends the body
  bool keep_alive() const;
  bool http_1_0() const;

  int error_status() const { return error_status_; }
  const std::string& error_code() const { return error_code_; }
  const std::string& error_detail() const { return error_detail_; }

 private:
  class Impl;

  Result Bad(int status, std::string_view code, std::string_view detail);
  Result Finish();

  const HttpLimits& limits_;
  std::unique_ptr<Impl> impl_;
  HttpRequest request_;
  int error_status_ = 400;
  std::string error_code_, error_detail_;
};

}  // namespace gnomon
