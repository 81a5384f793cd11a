#include "server/http/internal/connect.h"
#include "server/http/internal/stream_connection.h"

namespace hansa::http::internal {

void serve_plain(asio::ip::tcp::socket&& socket, std::string address, Hub& hub) {
  std::make_shared<StreamConnection<beast::tcp_stream>>(beast::tcp_stream(std::move(socket)),
                                                        std::move(address), hub)
      ->start();
}

}  // namespace hansa::http::internal
