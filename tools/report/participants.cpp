#include "tools/report/sections.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/report/html_table.h"
#include "tools/report/parts.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Outcome;
using server::Participation;
using server::RoundRecord;
using server::RunView;

struct Participant {
  std::map<Outcome, std::uint32_t> outcomes;
  std::uint32_t selected = 0, lost = 0;
  double train_seconds = 0;
  std::uint32_t trained = 0;  // rounds in which it reported a time
  std::uint64_t up = 0, down = 0;
  std::string last_lost;
};

}  // namespace

std::string participants_section(const RunView& view) {
  std::map<std::string, Participant> clients;
  for (const RoundRecord& round : view.rounds)
    for (const Participation& p : round.participations) {
      Participant& client = clients[p.client];
      ++client.selected;
      ++client.outcomes[p.outcome];
      client.up = sum_at_most_max(client.up, p.bytes_up);
      client.down = sum_at_most_max(client.down, p.bytes_down);
      if (p.train_seconds > 0 && p.train_seconds < 1e9) {
        client.train_seconds += p.train_seconds;
        ++client.trained;
      }
      if (p.outcome == Outcome::counted) continue;
      ++client.lost;
      client.last_lost = fmt::format("round {}: {}{}", round.round.value, server::outcome_text(p.outcome),
                                     p.reason.empty() ? "" : " (" + p.reason + ")");
    }
  if (clients.empty()) return "";
  std::vector<std::pair<std::string, const Participant*>> order;
  for (const auto& [client, participant] : clients) order.emplace_back(client, &participant);
  std::ranges::stable_sort(order,
                           [](const auto& a, const auto& b) { return a.second->lost > b.second->lost; });
  const std::size_t shown = std::min(order.size(), report_clients_max);
  HtmlTable table(shown == order.size()
                      ? fmt::format("All {} clients; those that were lost most often come first", shown)
                      : fmt::format("{} of {} clients: those that were lost most often", shown, order.size()),
                  {{"Client", CellKind::text},
                   {"Selected"},
                   {"Counted"},
                   {"No answer"},
                   {"Disconnected"},
                   {"Declined"},
                   {"Rejected"},
                   {"Late"},
                   {"Training"},
                   {"Up"},
                   {"Down"},
                   {"Last lost", CellKind::text}});
  constexpr std::array outcomes{Outcome::counted,  Outcome::no_answer, Outcome::disconnected,
                                Outcome::declined, Outcome::rejected,  Outcome::late};
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [client, p] = order[i];
    std::vector<std::string> row{short_text(client), std::to_string(p->selected)};
    for (const Outcome outcome : outcomes) {
      const auto found = p->outcomes.find(outcome);
      row.push_back(std::to_string(found == p->outcomes.end() ? 0U : found->second));
    }
    row.insert(row.end(), {p->trained > 0 ? fmt::format("{:.2f} s", p->train_seconds / p->trained) : "-",
                           bytes_text(p->up), bytes_text(p->down), short_text(p->last_lost)});
    table.add_row(row);
  }
  return section("participants", "Participants", table.html(), on_a_new_page);
}

}  // namespace hansa::tools
