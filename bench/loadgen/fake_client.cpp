#include "bench/loadgen/fake_client.h"

#include <algorithm>

#include "protocols/messages/codec.h"

namespace hansa::loadgen {
namespace {

constexpr std::size_t type_at = 3;  // protocols/messages/codec.h
bool is_of(std::span<const std::byte> message, std::size_t type) {
  return message.size() > type_at && static_cast<std::size_t>(message[type_at]) == type;
}
template <class Message>
std::size_t type_of() {
  return Message::type.number;
}

void release_owner(void*, void* hint) { delete static_cast<std::shared_ptr<const void>*>(hint); }

}  // namespace

FakeClient::FakeClient(zmq::context_t& context, std::string address, const transport::PublicKey& aggregator,
                       transport::SecretKey key, const Behaviour& behaviour, Together& together,
                       std::uint64_t seed)
    : context_(context),
      address_(std::move(address)),
      aggregator_(aggregator.text()),
      public_key_(key.public_key()->text()),
      key_(std::move(key)),
      behaviour_(behaviour),
      together_(together),
      random_(seed) {
  client::EngineConfig config;
  config.agent.federation = "bench";
  config.agent.software = "hansa-loadgen";
  config.agent.instance = seed;
  config.agent.models.unapproved = client::Unapproved::train;
  config.agent.greeting_max =
      std::chrono::minutes(2);  // thousands of clients perform the handshake at the same time
  engine_ = std::make_unique<client::Engine>(std::move(config), *this, *this, *this, steady_now());
  messages::DataReport data;
  data.examples = 100;
  engine_->data_known(data, std::nullopt, steady_now());
}

FakeClient::~FakeClient() = default;

int FakeClient::descriptor() { return socket_ ? socket_->get(zmq::sockopt::fd) : -1; }

void FakeClient::open(std::uint64_t) {
  socket_.emplace(context_, zmq::socket_type::dealer);
  socket_->set(zmq::sockopt::curve_serverkey, aggregator_);
  socket_->set(zmq::sockopt::curve_publickey, public_key_);
  socket_->set(zmq::sockopt::curve_secretkey, key_.z85());
  socket_->set(zmq::sockopt::linger, 0);
  socket_->set(zmq::sockopt::sndhwm, 64);
  socket_->set(zmq::sockopt::rcvhwm, 64);
  socket_->connect(address_);
  ++sockets_;
  link_up_due_ = true;
}

void FakeClient::close() {
  socket_.reset();
  ++sockets_;
}

void FakeClient::send(std::span<const std::byte> message, const transport::Bulk& bulk) {
  if (behaviour_.together && is_of(message, type_of<messages::Offer>())) {
    held_offer_.assign(message.begin(), message.end());
    turn_ = together_.offered();
    return;
  }
  send_now(message, bulk);
}

void FakeClient::send_now(std::span<const std::byte> message, const transport::Bulk& bulk) {
  if (!socket_) return;
  const bool has_bulk = !bulk.bytes.empty();
  zmq::message_t frame(message.data(), message.size());
  const auto flags =
      zmq::send_flags::dontwait | (has_bulk ? zmq::send_flags::sndmore : zmq::send_flags::none);
  if (!socket_->send(frame, flags)) return;
  if (!has_bulk) return;
  const Instant now = steady_now();
  if (first_chunk_ < observed_.task.back()) first_chunk_ = now;
  last_chunk_ = now;
  auto hint = std::make_unique<std::shared_ptr<const void>>(bulk.owner);
  zmq::message_t bytes(const_cast<std::byte*>(bulk.bytes.data()), bulk.bytes.size(), release_owner,
                       hint.get());
  static_cast<void>(hint.release());
  (void)socket_->send(bytes, zmq::send_flags::dontwait);
}

void FakeClient::start(const messages::TrainTask& task, learning::TrainingRequest,
                       std::shared_ptr<client::TaskVectors> vectors) {
  // An update of normal values, drawn once. Later updates are equal, which no codec can exploit.
  if (!vectors->update.empty() && vectors->update.front() == 0)
    for (std::size_t i = 0; i < vectors->update.size(); ++i)
      vectors->update[i] =
          i < 65'536 ? static_cast<float>(0.01 * random_.normal()) : vectors->update[i - 65'536];
  training_ = Training{task, std::move(vectors), steady_now() + behaviour_.think};
  if (random_.chance(behaviour_.disconnect)) link_down_due_ = true;
}

bool FakeClient::pump(std::size_t messages_max) {
  const Instant now = steady_now();
  if (!socket_ || now < read_after_) return false;
  zmq::message_t message, bulk;
  for (std::size_t i = 0; i < messages_max; ++i) {
    if (!socket_ || !socket_->recv(message, zmq::recv_flags::dontwait)) return false;
    bulk.rebuild();
    for (bool first = true; message.more() && socket_->get(zmq::sockopt::rcvmore) != 0; first = false) {
      zmq::message_t rest;
      if (!socket_->recv(first ? bulk : rest)) return false;
    }
    const std::span<const std::byte> bytes(message.data<std::byte>(), message.size());
    watch(bytes);
    engine_->receive(bytes, {bulk.data<std::byte>(), bulk.size()}, steady_now());
    if (behaviour_.read_pause > Duration::zero()) {
      read_after_ = steady_now() + behaviour_.read_pause;
      return false;
    }
  }
  return true;
}

void FakeClient::watch(std::span<const std::byte> message) {
  if (is_of(message, type_of<messages::Receipt>())) {
    observed_.first_chunk.push_back(first_chunk_);
    observed_.last_chunk.push_back(last_chunk_);
    observed_.counted.push_back(steady_now());
    return;
  }
  if (!is_of(message, type_of<messages::TrainTask>())) return;
  const auto decoded = messages::decode_to_client(message);
  if (!decoded) return;
  const auto& envelope = std::get<messages::Envelope<messages::ToClient>>(*decoded);
  const auto& task = std::get<messages::TrainTask>(envelope.message);
  if (task.round.value == round_) return;
  round_ = task.round.value;
  observed_.task.push_back(steady_now());
}

Instant FakeClient::next_tick() const {
  Instant next = engine_->next_tick();
  if (training_) next = std::min(next, training_->done_at);
  if (link_up_due_ || link_down_due_) next = Instant{};
  if (behaviour_.read_pause > Duration::zero()) next = std::min(next, read_after_);
  if (!held_offer_.empty())
    next =
        together_.released(turn_) ? Instant{} : std::min(next, steady_now() + std::chrono::milliseconds(1));
  return next;
}

void FakeClient::tick() {
  const Instant now = steady_now();
  if (std::exchange(link_up_due_, false)) engine_->link_up(now);
  if (std::exchange(link_down_due_, false)) {
    ++observed_.disconnects;
    engine_->link_down(Error{ErrorCode::network, "loadgen", "cut its connection", {}}, now);
  }
  if (training_ && now >= training_->done_at) {
    const Training done = std::move(*std::exchange(training_, std::nullopt));
    learning::TrainingResult result;
    result.examples = result.samples = 100;
    engine_->training_ended(done.task, result, now);
  }
  if (!held_offer_.empty() && together_.released(turn_)) {
    send_now(held_offer_, {});
    held_offer_.clear();
  }
  if (now >= engine_->next_tick()) engine_->tick(now);
}

}  // namespace hansa::loadgen
