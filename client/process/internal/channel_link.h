// The client's connection to the aggregator: addresses from client.toml, keys that the device has accepted. One thread.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "client/config/client_config.h"
#include "client/engine/engine.h"
#include "client/keys/accepted_keys.h"
#include "common/logging.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client::internal {

class ChannelLink final : public Link {
 public:
  ChannelLink(const ClientConfig& config, const transport::SecretKey& key, const Logger& log)
      : config_(config), key_(key), log_(log) {}

  void open(std::uint64_t attempt) override {
    // The operator may have changed the address while this client was away.
    if (attempt > 0) reread_addresses();
    const auto accepted = AcceptedKeys::open(config_);
    if (!accepted) {
      failed_ = accepted.error();
      return;
    }
    // Each address with each key of the aggregator.
    const auto keys = accepted->aggregator_keys(utc_seconds_now());
    transport::ClientChannelConfig config;
    config.address = config_.addresses[attempt / keys.size() % config_.addresses.size()];
    config.proxy = config_.proxy;
    config.aggregator = keys[attempt % keys.size()];
    aggregator_ = config.aggregator;
    log_.debug("connecting to " + config.address, {.event = LogEvent::link_connecting});
    auto opened = transport::ClientChannel::open(config, key_);
    if (opened) channel_ = std::move(*opened);
    else failed_ = std::move(opened).error();
  }
  void close() override {
    if (channel_) closing_ = std::move(channel_);  // it may be closed twice in one callback
  }
  void send(std::span<const std::byte> message, const transport::Bulk& bulk) override {
    // A message that cannot be queued is lost with the connection; the next session resumes.
    if (channel_ && !channel_->send(message, bulk)) log_.debug("a message could not be queued");
  }

  // The aggregator has authenticated itself.
  void connected() {
    auto accepted = AcceptedKeys::open(config_);
    if (accepted)
      if (const auto stored = accepted->connected(aggregator_); !stored) log_.warning(stored.error().text());
  }
  // What the root key states about the federation's keys.
  void accept(const Result<enrolment::KeyStatements>& statements) {
    const auto done = try_to_accept(statements);
    if (!done && done.error().text() != refused_)
      log_.warning(refused_ = done.error().text(), {.event = LogEvent::keys_refused});
    if (done && *done == Acceptance::accepted)
      log_.info(text_of_accepted(*statements), {.event = LogEvent::keys_changed});
  }

  // The channel must not be destroyed inside its own callbacks.
  void release_closed() { closing_.reset(); }
  [[nodiscard]] transport::ClientChannel* channel() const { return channel_.get(); }
  [[nodiscard]] std::optional<Error> take_failure() { return std::exchange(failed_, std::nullopt); }

 private:
  [[nodiscard]] Result<Acceptance> try_to_accept(const Result<enrolment::KeyStatements>& statements) const {
    if (!statements) return tl::unexpected<Error>(statements.error());
    HANSA_TRY(AcceptedKeys accepted, AcceptedKeys::open(config_));
    return accepted.accept(*statements, utc_seconds_now());
  }
  void reread_addresses() {
    auto config = read_client_config(config_.file, config_.variables);
    if (!config) {
      log_.warning("keeps the old address: " + config.error().text());
      return;
    }
    if (config->addresses != config_.addresses) log_.info("has a new address from " + config_.file.string());
    config_.addresses = config->addresses;
    config_.proxy = config->proxy;
  }

  ClientConfig config_;
  transport::PublicKey aggregator_;  // of the open channel
  const transport::SecretKey& key_;
  const Logger& log_;
  std::string refused_;  // why statements were refused last: the aggregator sends them again in each session
  std::unique_ptr<transport::ClientChannel> channel_, closing_;
  std::optional<Error> failed_;
};

}  // namespace hansa::client::internal
