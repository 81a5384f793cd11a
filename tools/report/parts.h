// Pieces of which the sections of a report are made. Pure functions; every text is escaped here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace hansa::tools {

inline constexpr std::size_t report_clients_max = 500;  // rows of a table of clients or devices

// A section with a heading. `id` is unique in the page. kind: attributes of the element, with a space in front.
[[nodiscard]] std::string section(const std::string& id, const std::string& title, const std::string& content,
                                  const char* kind = "");
// The attribute of a section that begins on a new page of paper.
inline constexpr const char* on_a_new_page = " class=\"page\"";
[[nodiscard]] std::string paragraph(const std::string& text);
// A text that a client may have written, cut to what a cell shows. Not escaped.
[[nodiscard]] std::string short_text(const std::string& text);

// Facts as a list of terms.
class Facts {
 public:
  void add(const std::string& term, const std::string& fact);
  [[nodiscard]] std::string html() const { return "<dl>\n" + html_ + "</dl>\n"; }

 private:
  std::string html_;
};

[[nodiscard]] std::uint64_t sum_at_most_max(std::uint64_t a, std::uint64_t b);

}  // namespace hansa::tools
