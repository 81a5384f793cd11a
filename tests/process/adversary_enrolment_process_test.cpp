// Guesses of tokens against a running aggregator: the rounds continue, and a device with a token joins.
#include <thread>

#include <gtest/gtest.h>

#include "protocols/enrolment/join_messages.h"
#include "protocols/enrolment/join_token.h"
#include "protocols/transport/client_channel.h"
#include "tests/process/rows_federation.h"
#include "tests/transport/relay.h"

namespace hansa::testing {
namespace {

using transport::testing::Relay;

class AdversaryGuesses : public RowsFederation {
 protected:
  void SetUp() override {
    create();
    auto text = read_text_file(folder / "federation.toml", 1 << 20);
    ASSERT_TRUE(text);
    ASSERT_TRUE(write_file_atomically(
        folder / "federation.toml",
        *text + "\n[enrolment]\nbind = \"tcp://127.0.0.1:0\"\nroot_key = \"keys/root.key\"\n"));
    ASSERT_TRUE(write_file_atomically(temporary / "data.txt", data_lines().substr(7)));
  }
  std::string invite(const std::string& label, const std::string& address) {
    std::smatch match;
    const std::string output =
        hansa({"invite", "--label", label, "--address", address, "--no-qr"}, "invite-" + label);
    EXPECT_TRUE(std::regex_search(output, match, std::regex("HANSA1[A-Z2-7]+"))) << output;
    return match[0];
  }
  ChildProcess start_join(const std::string& name, const std::string& token) {
    return ChildProcess(
        "hansa-client",
        {"join", token, "--folder", (temporary / name).string(), "--data", (temporary / "data.txt").string()},
        log("join-" + name));
  }
  // That the aggregator has committed.
  static int rounds_of(const ChildProcess& aggregator) {
    const std::string output = aggregator.output();
    int out = 0;
    for (auto at = output.find(" clients counted"); at != std::string::npos;
         at = output.find(" clients counted", at + 1))
      ++out;
    return out;
  }
};

// What became of guesses from this address.
struct Guesses {
  int refused = 0;  // answered: the token is not valid
  int busy = 0;  // answered: wait
  int cut_off = 0;  // the connection was refused, or ended without an answer
};

// A guess of the token's secret, on a connection of its own.
void guess(const enrolment::JoinToken& token, Guesses& out) {
  enrolment::JoinToken wrong;
  ASSERT_TRUE(enrolment::fill_random(wrong));
  wrong.id = token.id;
  wrong.aggregator = token.aggregator;
  const auto key = transport::generate_secret_key().value();
  const auto frame = enrolment::encode(enrolment::make_join_request(wrong, key).value());
  transport::ClientChannelConfig config;
  config.address = token.address;
  config.aggregator = token.aggregator;
  const auto channel = transport::ClientChannel::open(config, key).value();
  bool over = false;
  const transport::ClientChannel::Handlers handlers{
      .on_message =
          [&](std::span<const std::byte> message, std::span<const std::byte>) {
            const auto answer = enrolment::decode_join_answer(message);
            over = true;
            ASSERT_TRUE(answer) << answer.error().text();
            ASSERT_NE(answer->status, enrolment::JoinStatus::enrolled);
            ++(answer->status == enrolment::JoinStatus::refused ? out.refused : out.busy);
          },
      .on_link =
          [&](const transport::LinkEvent& event) {
            if (event.kind == transport::LinkEvent::Kind::connected) {
              static_cast<void>(channel->send(frame, {}));
            } else if (!over) {
              over = true;
              ++out.cut_off;
            }
          }};
  const Instant until = steady_now() + std::chrono::seconds(30);
  while (!over && steady_now() < until) channel->poll(std::chrono::milliseconds(100), handlers, 4);
  EXPECT_TRUE(over) << "a guess has neither an answer nor an end";
}

TEST_F(AdversaryGuesses, AThousandOfThemStopNeitherTheRoundsNorAnHonestDevice) {
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  std::smatch match;
  const std::string output = aggregator.output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("devices join at (tcp://127.0.0.1:[0-9]+)")));
  const std::string port = match[1];
  auto one = start_client(1);
  auto two = start_client(2);
  auto three = start_client(3);
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of", seconds(100))) << aggregator.output();

  // The honest device is at another address of this machine.
  Relay relay({port, "127.0.0.2"});
  const std::string text = invite("LINE-7", relay.address());
  enrolment::JoinToken victim = enrolment::parse_join_token(text).value();
  victim.address = port;
  const int rounds_before = rounds_of(aggregator);
  Guesses guesses;
  constexpr int all = 1'000;
  constexpr int threads = 8;
  std::vector<Guesses> parts(threads);
  std::atomic<int> left = all / 2;
  const auto attack = [&] {
    left = all / 2;
    std::vector<std::thread> attackers;
    for (Guesses& part : parts)
      attackers.emplace_back([&] {
        while (left-- > 0) guess(victim, part);
      });
    for (std::thread& attacker : attackers) attacker.join();
  };
  std::thread first(attack);
  // In the middle of them.
  auto honest = start_join("honest", text);
  first.join();
  EXPECT_EQ(honest.wait(seconds(100)), 0) << honest.output() << aggregator.output();
  std::thread second(attack);
  second.join();
  for (const Guesses& part : parts) {
    guesses.refused += part.refused;
    guesses.busy += part.busy;
    guesses.cut_off += part.cut_off;
  }
  EXPECT_EQ(guesses.refused + guesses.busy + guesses.cut_off, all);
  // Ten are answered at once, and then one every ten seconds; more than this would be a limit that does not hold.
  EXPECT_LE(guesses.refused, 10 + 60) << guesses.busy << " " << guesses.cut_off;
  EXPECT_GT(rounds_of(aggregator), rounds_before)
      << "rounds are committed meanwhile: " << aggregator.output();
  RecordProperty("refused", guesses.refused);
  RecordProperty("busy", guesses.busy);
  RecordProperty("cut_off", guesses.cut_off);
}

}  // namespace
}  // namespace hansa::testing
