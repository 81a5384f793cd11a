#include "learning/data/follow/follow_settings.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace hansa::learning {
namespace {

using config::Document;

class Reader {
 public:
  Reader(const Document& document, std::string_view table) : document_(document), table_(table) {}

  Result<std::optional<FollowConfig>> read() const {
    if (!document_.boolean(key("follow"))) {
      for (const config::Setting& setting : follow_settings)
        if (setting.presence == config::Presence::optional && has(setting.key))
          return refuse(setting.key, "is set without follow", "add \"follow = true\", or remove it");
      return std::nullopt;
    }
    FollowConfig out;
    HANSA_TRY(out.from, read_from());
    if (out.from == FollowFrom::folder)
      out.folder = document_.path(key(has("folder") ? "folder" : "class_folders"));
    if (has("sequence")) out.sequence = text("sequence");
    if (out.from == FollowFrom::broker) {
      HANSA_TRY(out.broker, read_broker());
    }
    out.bad_rows = out.from == FollowFrom::broker ? BadRows::skip : BadRows::refuse;
    if (has("bad_rows")) {
      if (out.from == FollowFrom::folder)
        return refuse("bad_rows", "is set together with folder",
                      "remove it: a bad file in a folder is always skipped");
      out.bad_rows = text("bad_rows") == "skip" ? BadRows::skip : BadRows::refuse;
    }
    out.consumed_files = text("consumed_files") == "remove" ? ConsumedFiles::remove : ConsumedFiles::keep;
    out.without_new = text("without_new") == "decline" ? WithoutNew::decline : WithoutNew::train;
    out.new_max = document_.integer(key("new_max"));
    out.replay_max = document_.integer(key("replay_max"));
    HANSA_TRY_VOID(check_kind(out));
    return out;
  }

 private:
  [[nodiscard]] std::string key(std::string_view name) const { return table_ + "." + std::string(name); }
  [[nodiscard]] bool has(std::string_view name) const { return document_.has(key(name)); }
  [[nodiscard]] const std::string& text(std::string_view name) const { return document_.text(key(name)); }
  [[nodiscard]] tl::unexpected<Error> refuse(std::string_view name, std::string what,
                                             std::string hint) const {
    return fail(ErrorCode::usage, document_.location(key(name)), std::move(what), std::move(hint));
  }

  [[nodiscard]] Result<FollowFrom> read_from() const {
    constexpr std::array<std::string_view, 4> places{"file", "folder", "broker", "class_folders"};
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (!has(places[i])) continue;
      if (found)
        return refuse(places[i], "is set together with " + std::string(places[*found]),
                      "keep one of file, folder and broker");
      found = i;
    }
    if (!found) return refuse("follow", "has no source to follow", "add file, folder or broker to the table");
    constexpr std::size_t broker = 2, class_folders = 3;
    if (*found != broker)
      for (const config::Setting& setting : follow_settings)
        if ((setting.key == "topic" || setting.key.starts_with("broker_")) && has(setting.key))
          return refuse(setting.key, "is set without broker", "add broker, or remove it");
    return *found == class_folders ? FollowFrom::folder : static_cast<FollowFrom>(*found);
  }

  [[nodiscard]] Result<void> check_kind(const FollowConfig& follow) const {
    const std::string& kind = text("kind");
    const bool rows = kind == "csv" || kind == "windows";
    if (kind == "idx")
      return refuse("follow", "cannot be used with kind \"idx\", whose examples are in two files",
                    "save them as kind \"tensors\", and set folder");
    if (kind == "images" || kind == "audio") return check_labelled_files(kind, follow);
    if (kind == "npy" && has("labels"))
      return refuse("labels", "is set together with follow, but each file has labels of its own",
                    "save the inputs x and the targets y in one .npz file, and remove labels");
    const bool follows_table = kind == "sqlite" && follow.from == FollowFrom::file;
    if (has("sequence") && !follows_table)
      return refuse("sequence", "applies only to a file of kind \"sqlite\" that is followed", "remove it");
    if (follows_table && !has("sequence"))
      return refuse(
          "sequence", "is missing, and shows which rows are new",
          "select the column that numbers the rows in query, and add for example sequence = \"id\"");
    if (follow.from != FollowFrom::folder && !rows && !follows_table)
      return refuse(follow.from == FollowFrom::file ? "file" : "broker",
                    "cannot be followed for data of kind \"" + kind + "\"",
                    "move whole files into a folder, and set folder");
    if (follow.from == FollowFrom::folder) return {};
    if (kind == "csv" && has("group"))
      return refuse("group",
                    "makes examples of series, and no row says that it is the last one of its series",
                    "move files with whole series into a folder, and set folder; or use kind = \"windows\"");
    if (has("sequences"))
      return refuse("sequences",
                    "needs whole files, because all values of a column decide whether it holds integers",
                    "move whole files into a folder, and set folder");
    // Standardising and replacing by the mean need all rows at once.
    if (has("scale") && text("scale") == "standard")
      return refuse("scale", "is \"standard\", which needs all rows at once",
                    "set scale = \"federation\" with [statistics] in federation.toml, or scale in the model");
    if (has("missing") && text("missing") == "mean")
      return refuse("missing", "is \"mean\", which needs all rows at once", "use \"skip\" or \"zero\"");
    if (document_.integer(key("examples_max")) > 0)
      return refuse("examples_max", "is set together with follow",
                    "remove it; set new_max and replay_max instead");
    if (follow.from == FollowFrom::broker && !has("columns"))
      return refuse("broker", "needs columns, because messages have no header",
                    "add \"columns = [...]\", in the order in which the model takes them");
    return {};
  }

  // Of images and sounds, each in a file of its own.
  [[nodiscard]] Result<void> check_labelled_files(const std::string& kind, const FollowConfig& follow) const {
    for (const char* name : {"folder", "broker"})
      if (has(name))
        return refuse(name, "cannot be followed for data of kind \"" + kind + "\"",
                      "set class_folders, or a CSV file of paths and labels as file");
    if (has("class_folders") && !has("classes"))
      return refuse("classes",
                    "is missing, and a folder of a further class would change the numbers of the others",
                    "list the names of all class folders, the same list on all clients");
    if (kind == "audio" && !has("rate"))
      return refuse("rate", "is missing, and files that arrive later may have another one",
                    "set it, the same on all clients");
    if (has("file") && follow.consumed_files == ConsumedFiles::remove)
      return refuse("consumed_files", "is \"remove\", but the lines of file would still name the files",
                    "remove it, or use class_folders");
    // Examples are stored as the model receives them, and each damaged file is skipped.
    for (const char* name : {"augment", "damaged_max", "bad_rows"})
      if (has(name)) return refuse(name, "does not apply to " + kind + " that are followed", "remove it");
    if (document_.integer(key("examples_max")) > 0)
      return refuse("examples_max", "is set together with follow",
                    "remove it; set new_max and replay_max instead");
    return {};
  }

  [[nodiscard]] Result<BrokerConfig> read_broker() const {
    BrokerConfig out;
    std::string_view rest = text("broker");
    constexpr std::string_view secure = "mqtts://", plain = "mqtt://";
    if (rest.starts_with(secure)) {
      rest.remove_prefix(secure.size());
    } else if (rest.starts_with(plain)) {
      rest.remove_prefix(plain.size());
      out.tls = false;
    } else {
      return refuse("broker", "is \"" + text("broker") + "\", which is not an address",
                    "for example \"mqtts://broker.example:8883\"");
    }
    out.port = out.tls ? 8883 : 1883;
    // A numeric IPv6 address is written in brackets.
    const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
    const std::size_t colon = bracket == std::string_view::npos ? bracket : rest.find(':', bracket);
    if (colon != std::string_view::npos) {
      const std::string_view digits = rest.substr(colon + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
      if (error != std::errc() || end != digits.data() + digits.size() || out.port == 0)
        return refuse("broker", "has the port \"" + std::string(digits) + "\"", "a port is 1 to 65535");
      rest = rest.substr(0, colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    out.host = rest;
    if (out.host.empty() || out.host.find_first_of("/[]@") != std::string::npos)
      return refuse("broker", "is \"" + text("broker") + "\", which is not an address",
                    "for example \"mqtts://broker.example:8883\"; set the topic with the key topic");
    if (!out.tls && out.host != "localhost" && out.host != "::1" && !out.host.starts_with("127."))
      return refuse("broker", "would send data of this device unencrypted to " + out.host,
                    "use mqtts://; mqtt:// is for a broker on this machine");
    if (!has("topic")) return refuse("topic", "is missing", "add the topic to follow");
    out.topic = text("topic");
    if (has("broker_ca_file")) out.ca_file = document_.path(key("broker_ca_file"));
    if (has("broker_certificate_file")) out.certificate_file = document_.path(key("broker_certificate_file"));
    if (has("broker_key_file")) out.key_file = document_.path(key("broker_key_file"));
    if (has("broker_user")) out.user = text("broker_user");
    if (has("broker_password_file")) out.password_file = document_.path(key("broker_password_file"));
    if (out.certificate_file.empty() != out.key_file.empty())
      return refuse(out.key_file.empty() ? "broker_certificate_file" : "broker_key_file",
                    "is set without its pair", "set both the certificate and its key");
    if (!out.tls && (!out.ca_file.empty() || !out.certificate_file.empty()))
      return refuse("broker", "has certificates, but is not encrypted", "use mqtts://");
    if (!out.password_file.empty() && out.user.empty())
      return refuse("broker_password_file", "is set without broker_user", "add broker_user");
    return out;
  }

  const Document& document_;
  std::string table_;
};

}  // namespace

std::string BrokerConfig::address() const {
  const bool numeric6 = host.find(':') != std::string::npos;
  return (tls ? "mqtts://" : "mqtt://") + (numeric6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::optional<FollowConfig>> read_follow_config(const Document& document, std::string_view table) {
  return Reader(document, table).read();
}

}  // namespace hansa::learning
