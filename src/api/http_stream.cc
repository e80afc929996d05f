// SPDX-License-Identifier: Apache-2.0
//
// The parts of HttpConnection that write a stream, and the handles that the service holds.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/http_connection.h"
#include "api/problem.h"
#include "base/check.h"

namespace gnomon {

// Sends what the service has written since the last time. The I/O thread takes all of it at once; the service meanwhile
// fills the next buffer.
void HttpConnection::FlushStream() {
  if (writing_ || phase_ != Phase::kStreaming) return;
  bool cut = false, done = false;
  {
    absl::MutexLock lock(&mutex_);
    stream_posted_ = false;
    out_.append(pending_);
    in_flight_ = pending_.size();
    pending_.clear();
    cut = stream_ended_ && stream_cut_;
    done = stream_ended_ && out_.empty();
  }
  if (cut) return Close();
  if (done) {
    Enter(Phase::kWriting);
    if (AnswerDone()) Process();
    return;
  }
  if (out_.empty()) return;
  if (!WriteOut() || !StreamWritten()) return;
  // Other connections get their turn before the next piece.
  worker_->Post({shared_from_this(), HttpWorker::Event::kStreamData, {}});
}

// What was in out_ is sent. True if there is more to do.
bool HttpConnection::StreamWritten() {
  absl::AnyInvocable<void()> on_drain;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    in_flight_ = 0;
    if (pending_.size() <= worker_->core().options.limits.stream_bytes / 2) on_drain = std::exchange(on_drain_, nullptr);
    more = !pending_.empty() || stream_ended_;
  }
  if (on_drain) on_drain();
  return more;
}

// The stream takes no more; if it had not ended, it ends here: whole when the server drains, cut when the peer is gone.
void HttpConnection::CloseStream() {
  absl::AnyInvocable<void()> on_drain;
  {
    absl::MutexLock lock(&mutex_);
    if (stream_closed_) return;
    stream_closed_ = true;
    on_drain = std::exchange(on_drain_, nullptr);
    if (phase_ == Phase::kStreaming && !stream_ended_) {
      stream_ended_ = true;
      if (chunked_) pending_.append("0\r\n\r\n");
    }
  }
  if (on_drain) on_drain();
}

// True if the I/O thread must be told.
bool HttpConnection::FrameStream(std::string_view data) {
  if (chunked_) {
    absl::StrAppend(&pending_, absl::Hex(data.size()), "\r\n");
    pending_.append(data).append("\r\n");
  } else {
    pending_.append(data);
  }
  return !std::exchange(stream_posted_, true);
}

HttpStream::Write HttpConnection::StreamWrite(std::string_view data) {
  {
    absl::MutexLock lock(&mutex_);
    if (stream_closed_) return HttpStream::Write::kClosed;
    const size_t waiting = pending_.size() + in_flight_;
    if (waiting > 0 && waiting + data.size() > worker_->core().options.limits.stream_bytes) {
      return HttpStream::Write::kFull;
    }
    if (data.empty() || !FrameStream(data)) return HttpStream::Write::kAccepted;
  }
  worker_->Post({shared_from_this(), HttpWorker::Event::kStreamData, {}});
  return HttpStream::Write::kAccepted;
}

void HttpConnection::StreamOnDrain(absl::AnyInvocable<void()> callback) {
  {
    absl::MutexLock lock(&mutex_);
    const bool room = pending_.size() + in_flight_ <= worker_->core().options.limits.stream_bytes / 2;
    if (!stream_closed_ && !room) {
      on_drain_ = std::move(callback);
      return;
    }
  }
  callback();
}

bool HttpConnection::StreamClosed() {
  absl::MutexLock lock(&mutex_);
  return stream_closed_;
}

void HttpConnection::StreamEnd(bool whole) {
  {
    absl::MutexLock lock(&mutex_);
    on_drain_ = nullptr;
    if (stream_closed_) return;
    stream_closed_ = stream_ended_ = true;
    stream_cut_ = !whole;
    if (whole && chunked_) pending_.append("0\r\n\r\n");
  }
  worker_->Post({shared_from_this(), HttpWorker::Event::kStreamData, {}});
}

HttpStream::~HttpStream() {
  if (connection_) connection_->StreamEnd(false);
}

HttpStream::Write HttpStream::Send(std::string_view data) {
  GNOMON_CHECK(connection_ != nullptr);
  return connection_->StreamWrite(data);
}

void HttpStream::OnDrain(absl::AnyInvocable<void()> callback) {
  GNOMON_CHECK(connection_ != nullptr);
  connection_->StreamOnDrain(std::move(callback));
}

bool HttpStream::closed() const { return connection_ == nullptr || connection_->StreamClosed(); }

void HttpStream::Finish() {
  GNOMON_CHECK(connection_ != nullptr);
  std::exchange(connection_, nullptr)->StreamEnd(true);
}

HttpResponder::~HttpResponder() {
  if (connection_) Send(ProblemResponse(500, "NOT_ANSWERED", "the request was dropped without an answer", ""));
}

void HttpResponder::Send(HttpResponse response) {
  GNOMON_CHECK(connection_ != nullptr);
  std::exchange(connection_, nullptr)->Answer(std::move(response), HttpWorker::Event::kAnswer);
}

void HttpResponder::Run(absl::AnyInvocable<void()> work) {
  GNOMON_CHECK(connection_ != nullptr);
  connection_->Run(std::move(work));
}

HttpStream HttpResponder::Stream(HttpResponse head) {
  GNOMON_CHECK(connection_ != nullptr);
  connection_->Answer(std::move(head), HttpWorker::Event::kStreamHead);
  return HttpStream(std::exchange(connection_, nullptr));
}

}  // namespace gnomon
