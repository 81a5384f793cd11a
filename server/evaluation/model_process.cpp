#include "server/evaluation/model_process.h"

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/files.h"
#include "server/evaluation/internal/child.h"
#include "server/evaluation/internal/wire.h"

namespace hansa::server {
namespace {

using internal::Child;
using internal::Json;

static_assert(std::endian::native == std::endian::little, "parameter files are little-endian");

constexpr std::size_t layout_bytes_max = 64 << 20;

std::filesystem::path program() { return program_folder() / "hansa-evaluator"; }

// A temporary folder that only this user can read. The destructor removes it.
class PrivateFolder {
 public:
  static Result<PrivateFolder> create() {
    std::error_code error;
    const auto base = std::filesystem::temp_directory_path(error);
    std::string name = ((error ? std::filesystem::path("/tmp") : base) / "hansa-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return fail(ErrorCode::storage, name, std::string("cannot be created (") + std::strerror(errno) + ")");
    return PrivateFolder(name);
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  PrivateFolder(PrivateFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<Json> parse_answer(std::string_view line) {
  HANSA_TRY(Json answer, internal::parse_line(line, program().string()));
  HANSA_TRY_VOID(internal::require_ok(answer, program().string()));
  return answer;
}

Result<Metrics> parse_metrics(std::string_view line) {
  HANSA_TRY(const Json answer, parse_answer(line));
  try {
    return internal::metrics_of(answer.at("metrics"));
  } catch (const Json::exception& caught) {
    return fail(ErrorCode::internal, program().string(),
                std::string("sent metrics that cannot be read: ") + caught.what());
  }
}

class Evaluator final : public BackgroundEvaluator {
 public:
  Evaluator(std::string open_line, Child child)
      : open_line_(std::move(open_line)), child_(std::move(child)) {}

  bool busy() const override { return busy_; }
  int descriptor() const override { return child_ ? child_->descriptor() : -1; }

  void request(const std::filesystem::path& parameters) override {
    busy_ = true;
    const std::string line =
        internal::line_of({{"op", "evaluate"}, {"parameters", internal::absolute_path(parameters)}});
    if (child_ && child_->send(line)) return;
    child_.reset();
    auto started = Child::start(program());
    if (!started) {
      failure_ = std::move(started).error();
      return;
    }
    child_ = std::move(*started);
    open_answer_awaited_ = true;
    // If the child has died already, take() reports how.
    (void)child_->send(open_line_ + line);
  }

  std::optional<Result<Metrics>> take() override {
    if (failure_) return finish(tl::unexpected<Error>(*std::exchange(failure_, std::nullopt)));
    if (!child_) return std::nullopt;
    auto line = child_->receive();
    if (line && *line && open_answer_awaited_) {
      open_answer_awaited_ = false;
      // If opening failed, the request that followed fails too, but with a less useful error.
      if (auto opened = parse_answer(**line); !opened) return fail_request(std::move(opened).error());
      line = child_->receive();
    }
    if (!line) return fail_request(std::move(line).error());
    if (!*line) return std::nullopt;
    if (!busy_)
      return fail_request({ErrorCode::internal, program().string(), "sent an answer to no request", ""});
    return finish(parse_metrics(**line));
  }

 private:
  Result<Metrics> finish(Result<Metrics> answer) {
    busy_ = false;
    return answer;
  }
  // Drops this child. The next request starts another one.
  std::optional<Result<Metrics>> fail_request(Error error) {
    child_.reset();
    open_answer_awaited_ = false;
    if (!std::exchange(busy_, false)) return std::nullopt;
    return Result<Metrics>(tl::unexpected<Error>(std::move(error)));
  }

  std::string open_line_;
  std::optional<Child> child_;
  std::optional<Error> failure_;  // why a child could not be started; the next take() reports it
  bool busy_ = false;
  bool open_answer_awaited_ = false;
};

}  // namespace

Result<ArchiveFacts> describe_archive_in_child(const std::filesystem::path& archive,
                                               std::span<const std::string> personal) {
  HANSA_TRY(const PrivateFolder folder, PrivateFolder::create());
  const auto layout_path = folder.path() / "layout.txt";
  const auto parameters_path = folder.path() / "parameters.f32";
  HANSA_TRY(Child child, Child::start(program()));
  HANSA_TRY_VOID(child.send(internal::line_of({{"op", "describe"},
                                               {"archive", internal::absolute_path(archive)},
                                               {"personal", std::vector(personal.begin(), personal.end())},
                                               {"layout", layout_path.string()},
                                               {"parameters", parameters_path.string()}})));
  HANSA_TRY(const std::string line, child.wait_for_line());
  HANSA_TRY(const Json answer, parse_answer(line));
  ArchiveFacts facts;
  HANSA_TRY(facts.archive, parse_digest(answer.value("archive", std::string())));
  HANSA_TRY(const std::string layout, read_text_file(layout_path, layout_bytes_max));
  HANSA_TRY(facts.layout, ParameterLayout::parse(layout, archive.string()));
  facts.parameters.resize(facts.layout.element_count());
  HANSA_TRY_VOID(read_file_into(parameters_path, std::as_writable_bytes(std::span(facts.parameters))));
  return facts;
}

Result<std::unique_ptr<BackgroundEvaluator>> BackgroundEvaluator::start(
    const std::filesystem::path& archive, const learning::DataConfig& data, int threads,
    std::span<const std::string> personal) {
  std::string open_line = internal::line_of({{"op", "open"},
                                             {"archive", internal::absolute_path(archive)},
                                             {"personal", std::vector(personal.begin(), personal.end())},
                                             {"data", internal::json_of(data)},
                                             {"threads", threads}});
  HANSA_TRY(Child child, Child::start(program()));
  HANSA_TRY_VOID(child.send(open_line));
  HANSA_TRY(const std::string line, child.wait_for_line());
  HANSA_TRY_VOID(parse_answer(line));
  return std::make_unique<Evaluator>(std::move(open_line), std::move(child));
}

}  // namespace hansa::server
