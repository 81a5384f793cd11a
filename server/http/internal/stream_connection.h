// One connection, over TCP or over TLS: reads requests, has them checked and answered, and sends events.
//
// States: (handshake ->) idle -> reading -> answering -> idle ... -> lingering -> closed; or answering -> streaming. One
// thread. A connection holds itself by the operations that it waits for. Included by connection_plain.cpp and
// connection_tls.cpp only, because of its compile time.
#pragma once
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "common/descriptor.h"
#include "server/http/assets.h"
#include "server/http/internal/hub.h"
#include "server/http/internal/response_text.h"

namespace hansa::http::internal {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorCodeOfAsio = boost::system::error_code;

inline constexpr std::string_view events_path = "/api/v1/events";
inline constexpr std::size_t piece_bytes = 64 << 10;
inline constexpr Duration linger_time = std::chrono::seconds(2);  // for the end of a connection

// What is to be sent. The body is one of three.
struct Outgoing {
  ResponseHead head;
  std::string body;
  std::string_view lasting_body;  // of an asset
  Descriptor file;
  std::uint64_t file_bytes = 0;
  std::shared_ptr<const void> hold;
  bool is_head = false;
};

// On the worker's thread, because it opens the file.
inline Outgoing outgoing_of(Response&& response) {
  Outgoing out;
  if (response.file) {
    out.file = Descriptor(::open(response.file->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status {};
    if (!out.file || ::fstat(out.file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      out.file = {};
      response = error_response(404, "not_found", "the file is not there");
    } else {
      out.file_bytes = static_cast<std::uint64_t>(status.st_size);
    }
  }
  out.body = std::move(response.body);
  out.head.status = response.status;
  out.head.content_type = std::move(response.content_type);
  out.head.content_length = out.file ? out.file_bytes : out.body.size();
  out.head.headers = std::move(response.headers);
  out.hold = std::move(response.hold);
  return out;
}

template <class Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  StreamConnection(Stream&& stream, std::string address, Hub& hub)
      : stream_(std::move(stream)),
        address_(std::move(address)),
        hub_(hub),
        reader_(hub.limits()),
        events_({.events_max = hub.limits().stream_events_max, .bytes_max = hub.limits().stream_bytes_max}) {
    hub_.add(*this, address_);
  }
  ~StreamConnection() override { hub_.remove(*this, address_); }

  void start() {
    if constexpr (is_tls) {
      lowest().expires_after(hub_.limits().request_time_max);
      stream_.async_handshake(Stream::server, [self = this->shared_from_this()](ErrorCodeOfAsio error) {
        if (!error) self->begin_request();
      });
    } else {
      begin_request();
    }
  }

  void close() override { lowest().close(); }

  void send_event(const std::shared_ptr<const StreamedEvent>& event) override {
    const std::uint64_t lost = events_.lost();
    events_.push(event);
    hub_.count_lost(events_.lost() - lost);
    write_events();
  }

 private:
  static constexpr bool is_tls = !std::is_same_v<Stream, beast::tcp_stream>;

  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }

  void begin_request() {
    hub_.set_idle(*this);
    lowest().expires_after(hub_.limits().idle_time_max);
    has_begun_ = false;
    next_request();
  }

  void next_request() {
    // From the first byte of a request there is a limit for all of it, however its bytes are spread.
    if (reader_.has_begun() && !has_begun_) {
      has_begun_ = true;
      hub_.set_busy(*this);
      lowest().expires_after(hub_.limits().request_time_max);
    }
    auto next = reader_.next();
    if (auto* request = std::get_if<RawRequest>(&next)) return on_request(std::move(*request));
    if (auto* refusal = std::get_if<Refusal>(&next)) {
      keep_alive_ = false;
      return refuse(*refusal);
    }
    stream_.async_read_some(asio::buffer(input_),
                            [self = this->shared_from_this()](ErrorCodeOfAsio error, std::size_t bytes) {
                              if (error) return;
                              self->reader_.feed({self->input_.data(), bytes});
                              self->next_request();
                            });
  }

  void on_request(RawRequest&& raw) {
    keep_alive_ = raw.keep_alive;
    is_head_ = raw.method == "HEAD";
    const std::string accepted = raw.accept_encoding, cached = raw.if_none_match;
    auto checked = hub_.access().check(std::move(raw), address_, steady_now());
    if (const auto* refusal = std::get_if<Refusal>(&checked)) return refuse(*refusal);
    auto& request = std::get<Access::Granted>(checked).request;
    if (request.method == "GET") {
      if (request.path == events_path) return stream_events();
      if (const Asset* asset = hub_.config().find_asset(request.path))
        return send_asset(*asset, accepted, cached);
    }
    const bool is_taken = hub_.worker().post([self = this->shared_from_this(), request = std::move(request)] {
      auto outgoing = std::make_shared<Outgoing>(outgoing_of(self->hub_.call_handler(request)));
      asio::post(self->stream_.get_executor(), [self, outgoing] { self->send(std::move(*outgoing)); });
    });
    if (!is_taken) refuse({503, "busy", "too many requests wait", "try again in a moment", {}, 1});
  }

  void refuse(const Refusal& refusal) {
    if (refusal.status == 401 || refusal.status == 429)
      hub_.log("the dashboard refused a request from " + address_ + ": " + refusal.message, steady_now());
    Outgoing out = outgoing_of(error_response(refusal.status, refusal.code, refusal.message, refusal.hint));
    if (refusal.status == 401) out.head.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (!refusal.allow.empty()) out.head.headers.emplace_back("Allow", refusal.allow);
    if (refusal.retry_after_seconds > 0)
      out.head.headers.emplace_back("Retry-After", std::to_string(refusal.retry_after_seconds));
    send(std::move(out));
  }

  void send_asset(const Asset& asset, const std::string& accepted, const std::string& cached) {
    Outgoing out;
    out.head.cache_control = "no-cache";  // kept, and asked for with its ETag
    out.head.headers = {{"ETag", asset.etag}, {"Vary", "Accept-Encoding"}};
    if (cached.find(asset.etag) != std::string::npos) {
      out.head.status = 304;
      return send(std::move(out));
    }
    const bool is_compressed = !asset.gzip.empty() && accepted.find("gzip") != std::string::npos;
    if (is_compressed) out.head.headers.emplace_back("Content-Encoding", "gzip");
    out.lasting_body = is_compressed ? std::string_view(asset.gzip) : asset.bytes;
    out.head.content_type = asset.content_type;
    out.head.content_length = out.lasting_body.size();
    send(std::move(out));
  }

  void send(Outgoing&& outgoing) {
    outgoing.head.keep_alive = keep_alive_;
    auto head = header_text(outgoing.head, utc_seconds_now());
    if (!head) {
      outgoing = outgoing_of(error_response(500, "internal", "the request could not be answered"));
      outgoing.head.keep_alive = keep_alive_;
      head = header_text(outgoing.head, utc_seconds_now());
    }
    hub_.count_response(outgoing.head.status);
    outgoing_ = std::move(outgoing);
    head_ = std::move(*head);
    if (is_head_) {
      outgoing_.body.clear();
      outgoing_.lasting_body = {};
      outgoing_.file = {};
    }
    const std::uint64_t bytes =
        outgoing_.file ? outgoing_.file_bytes : outgoing_.body.size() + outgoing_.lasting_body.size();
    lowest().expires_after(
        hub_.limits().write_time_max +
        from_seconds(static_cast<double>(bytes) / hub_.limits().response_bytes_per_second_min));
    const std::array<asio::const_buffer, 3> buffers{
        asio::buffer(head_), asio::buffer(outgoing_.body),
        asio::buffer(outgoing_.lasting_body.data(), outgoing_.lasting_body.size())};
    asio::async_write(stream_, buffers,
                      [self = this->shared_from_this()](ErrorCodeOfAsio error, std::size_t) {
                        if (error) return;
                        if (self->outgoing_.file) self->read_piece(0);
                        else self->end_response();
                      });
  }

  void read_piece(std::uint64_t offset) {
    if (offset >= outgoing_.file_bytes) return end_response();
    const bool is_taken = hub_.worker().post([self = this->shared_from_this(), offset] {
      const auto wanted = std::min<std::uint64_t>(piece_bytes, self->outgoing_.file_bytes - offset);
      self->piece_.resize(wanted);
      const ssize_t got =
          ::pread(self->outgoing_.file.get(), self->piece_.data(), wanted, static_cast<off_t>(offset));
      asio::post(self->stream_.get_executor(), [self, offset, got] {
        // The length was promised. A connection that ends early says that the file was not read.
        if (got <= 0) return self->close();
        self->piece_.resize(static_cast<std::size_t>(got));
        self->write_piece(offset);
      });
    });
    if (!is_taken) close();
  }

  void write_piece(std::uint64_t offset) {
    asio::async_write(stream_, asio::buffer(piece_),
                      [self = this->shared_from_this(), offset](ErrorCodeOfAsio error, std::size_t bytes) {
                        if (!error) self->read_piece(offset + bytes);
                      });
  }

  void end_response() {
    outgoing_ = {};
    piece_ = {};
    if (keep_alive_) return begin_request();
    lowest().expires_after(linger_time);
    if constexpr (is_tls) {
      stream_.async_shutdown([self = this->shared_from_this()](ErrorCodeOfAsio) { self->close(); });
    } else {
      // What the peer still sends is read for a moment: closed at once, the kernel would reset the connection, and the peer
      // might not see the response.
      ErrorCodeOfAsio ignored;
      lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      linger(0);
    }
  }

  void linger(std::size_t discarded) {
    constexpr std::size_t discarded_max = 1 << 20;
    if (discarded > discarded_max) return close();
    stream_.async_read_some(asio::buffer(input_), [self = this->shared_from_this(), discarded](
                                                      ErrorCodeOfAsio error, std::size_t bytes) {
      if (!error) self->linger(discarded + bytes);
    });
  }

  void stream_events() {
    if (!is_head_ && !hub_.add_stream(*this))
      return refuse({503,
                     "streams",
                     "too many event streams are open",
                     "close other pages, or raise [dashboard] "
                     "streams_max",
                     {},
                     10});
    ResponseHead head;
    head.content_type = "text/event-stream";
    head.headers = {{"X-Accel-Buffering", "no"}};
    hub_.count_response(head.status);
    head_ = *header_text(head, utc_seconds_now());
    keep_alive_ = false;
    lowest().expires_after(hub_.limits().write_time_max);
    is_writing_ = true;
    asio::async_write(stream_, asio::buffer(head_),
                      [self = this->shared_from_this()](ErrorCodeOfAsio error, std::size_t) {
                        if (error) return self->end_stream();
                        if (self->is_head_) return self->end_response();
                        self->is_writing_ = false;
                        // The end of the connection is seen by reading.
                        self->lowest().expires_never();
                        self->watch_reader(0);
                        self->hub_.send_newest(*self);
                        self->write_events();
                      });
  }

  void watch_reader(std::size_t received) {
    constexpr std::size_t received_max = 4'096;  // a reader of events has nothing to say
    stream_.async_read_some(asio::buffer(input_), [self = this->shared_from_this(), received](
                                                      ErrorCodeOfAsio error, std::size_t bytes) {
      if (error || received + bytes > received_max) return self->end_stream();
      self->watch_reader(received + bytes);
    });
  }

  void write_events() {
    if (is_writing_ || events_.is_empty()) return;
    is_writing_ = true;
    text_ = events_.take();
    // The read in progress keeps having no limit.
    lowest().expires_after(hub_.limits().write_time_max);
    asio::async_write(stream_, asio::buffer(text_),
                      [self = this->shared_from_this()](ErrorCodeOfAsio error, std::size_t) {
                        self->is_writing_ = false;
                        if (error) return self->end_stream();
                        self->write_events();
                      });
  }

  void end_stream() {
    hub_.remove_stream(*this);
    close();
  }

  Stream stream_;
  const std::string address_;
  Hub& hub_;
  RequestReader reader_;
  std::array<char, 8'192> input_{};
  bool has_begun_ = false;  // a request
  bool keep_alive_ = false;
  bool is_head_ = false;
  std::string head_;
  Outgoing outgoing_;
  std::string piece_;  // of a file
  EventQueue events_;
  std::string text_;  // of the events that are being sent
  bool is_writing_ = false;  // events
};

}  // namespace hansa::http::internal
