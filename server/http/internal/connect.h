// Begins to serve an accepted socket. Two sources, so that they compile at the same time.
#pragma once
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "server/http/internal/hub.h"

namespace hansa::http::internal {

void serve_plain(boost::asio::ip::tcp::socket&& socket, std::string address, Hub& hub);
// `context` may end before the connection, which holds a reference to its SSL_CTX.
void serve_tls(boost::asio::ip::tcp::socket&& socket, boost::asio::ssl::context& context, std::string address,
               Hub& hub);

}  // namespace hansa::http::internal
