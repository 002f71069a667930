/* libraries.c -- finds cairo, Pango and GLib and their functions (see libraries.h). Not
** thread-safe: only one thread draws. */
#include "libraries.h"

#include <dlfcn.h>
#include <string.h>

#include "page.h"

struct un_cairo cairo;
struct un_pango pango;
struct un_glib glib;

static const struct {
  const char *name;
  void *place; /* of a pointer to a function */
} symbols[] = {
#define CAIRO(name) {"cairo_" #name, &cairo.name},
#define PANGO(name) {"pango_" #name, &pango.name},
#define GLIB(name)  {"g_" #name, &glib.name},
#include "libraries.def"
};

/* The others are among those that this one needs, and dlsym looks there too. */
static void *open_library(void) {
  static const char *const names[] = {"libpangocairo-1.0.so.0",
                                      "libpangocairo-1.0.0.dylib"};
  void *library = NULL;
  for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
    library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
  return library;
}

bool un_plot_load(un_plot_error *error) {
  static void *library;
  if (library) return true;
  void *opened = open_library();
  if (!opened) return un_plot_fail(error, "charts need Pango and cairo: %s", dlerror());
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(opened, symbols[i].name);
    if (!symbol) {
      dlclose(opened);
      return un_plot_fail(error, "the installed Pango and cairo have no %s",
                          symbols[i].name);
    }
    memcpy(symbols[i].place, &symbol, sizeof symbol);
  }
  library = opened;
  return true;
}
