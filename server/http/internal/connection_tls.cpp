#include <boost/asio/ssl/stream.hpp>

#include "server/http/internal/connect.h"
#include "server/http/internal/stream_connection.h"

namespace hansa::http::internal {

void serve_tls(asio::ip::tcp::socket&& socket, asio::ssl::context& context, std::string address, Hub& hub) {
  using Stream = asio::ssl::stream<beast::tcp_stream>;
  std::make_shared<StreamConnection<Stream>>(Stream(beast::tcp_stream(std::move(socket)), context),
                                             std::move(address), hub)
      ->start();
}

}  // namespace hansa::http::internal
