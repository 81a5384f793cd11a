// Errors that the outside can cause: a code, a location, what is wrong, and a hint.
//
// A function that can fail because of input, network, disk or configuration returns Result<T>. Programming mistakes
// are assertions. No exception leaves a folder of this project.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "common/reason.h"

namespace hansa {

enum class ErrorCode : std::uint8_t {
  usage,  // command line or configuration is wrong
  data,  // a data file is missing, damaged or does not match
  model,  // a model archive is missing, damaged or does not match
  refused,  // the peer refused the key, the federation or the protocol version
  network,  // an address cannot be bound, resolved or reached
  protocol,  // a peer violated the protocol
  storage,  // a file or the database cannot be read or written
  resource,  // out of memory or disk space, or a limit was reached
  quorum,  // too few clients
  internal,  // a bug
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string location;  // file:line, key, address or peer; may be empty
  std::string what;  // one clause, no full stop
  std::string hint;  // what the reader should do; may be empty
  Reason reason = {};  // what may leave the device, where it is more than the code

  // "LOCATION: WHAT; HINT"
  [[nodiscard]] std::string text() const;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string location, std::string what,
                                                std::string hint = {}, Reason reason = {}) {
  return tl::unexpected<Error>(
      Error{code, std::move(location), std::move(what), std::move(hint), std::move(reason)});
}

// The process exit code for an error: docs/exit-codes.md.
[[nodiscard]] int exit_code(ErrorCode code) noexcept;
[[nodiscard]] const char* name(ErrorCode code) noexcept;

}  // namespace hansa

// HANSA_TRY(auto x, f()): initialises x with the value of f(), or returns the error of f() from this function.
#define HANSA_CONCAT_INNER(a, b) a##b
#define HANSA_CONCAT(a, b) HANSA_CONCAT_INNER(a, b)
#define HANSA_TRY(declaration, expression) \
  HANSA_TRY_INNER(HANSA_CONCAT(hansa_result_, __LINE__), declaration, expression)
#define HANSA_TRY_INNER(result, declaration, expression)                         \
  auto&& result = (expression);                                                  \
  if (!result) return tl::unexpected<::hansa::Error>(std::move(result).error()); \
  declaration = std::move(*result)
// HANSA_TRY_VOID(f()): continues if f() succeeded, or returns its error from this function.
#define HANSA_TRY_VOID(expression)                                            \
  do {                                                                        \
    if (auto hansa_result = (expression); !hansa_result)                      \
      return tl::unexpected<::hansa::Error>(std::move(hansa_result).error()); \
  } while (false)
