#include "tools/chart_image.h"

#include <cairo.h>
#include <librsvg/rsvg.h>

#include <memory>

namespace hansa::tools {
namespace {

constexpr double scale = 2;

struct Release {
  void operator()(RsvgHandle* handle) const { g_object_unref(handle); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(GError* error) const { g_error_free(error); }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

cairo_status_t append(void* closure, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

auto fail_to_draw(const std::string& why) {
  return fail(ErrorCode::internal, "", "the chart cannot be drawn as an image (" + why + ")",
              "write an SVG file: -o FILE.svg");
}

}  // namespace

Result<std::string> png_of(const std::string& svg) {
  GError* error = nullptr;
  const Owned<RsvgHandle> handle(
      rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  Owned<GError> held(error);
  if (!handle) return fail_to_draw(held ? held->message : "unknown");
  gdouble width = 0, height = 0;
  if (rsvg_handle_get_intrinsic_size_in_pixels(handle.get(), &width, &height) == FALSE)
    return fail_to_draw("it has no size");
  const Owned<cairo_surface_t> surface(cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, static_cast<int>(width * scale), static_cast<int>(height * scale)));
  const Owned<cairo_t> context(cairo_create(surface.get()));
  const RsvgRectangle area{0, 0, width * scale, height * scale};
  error = nullptr;
  const gboolean drawn = rsvg_handle_render_document(handle.get(), context.get(), &area, &error);
  held.reset(error);
  if (drawn == FALSE) return fail_to_draw(held ? held->message : "unknown");
  std::string out;
  const cairo_status_t written = cairo_surface_write_to_png_stream(surface.get(), append, &out);
  if (written != CAIRO_STATUS_SUCCESS) return fail_to_draw(cairo_status_to_string(written));
  return out;
}

}  // namespace hansa::tools
