/* reader.h -- reads lines: with editing (readline.c) or as they come (plain.c).
**
** Both offer the same functions. What the prompt says, what is remembered and what
** Tab offers is decided by their caller.
*/
#ifndef UN_READER_H
#define UN_READER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum reading { GOT_LINE, GOT_INTERRUPT, GOT_END } reading;

/* What Tab does. The strings live until the next question. */
typedef struct host_completion {
  const char *breaks;  /* the word to complete begins after the last of these */
  const char *insert;  /* to be inserted instead of a completion; NULL: none */
  const char *message; /* to be shown instead of a completion; NULL: none */
  size_t count;        /* names that the word can become */
  char append;         /* follows a name that is the only one; 0: nothing */
  bool files;          /* the names are paths */
} host_completion;

typedef struct host_completer {
  host_completion (*ask)(const char *text, size_t length); /* up to the cursor */
  const char *(*name)(size_t index);                       /* 0 .. count - 1 */
  bool (*prepare)(void); /* a step, after the first prompt is shown, then when nobody
                            types; false when all is prepared */
} host_completer;

typedef struct host_reader {
  /* `paste`: a text that is pasted comes as one line with newlines in it (this needs
  ** escape sequences). False when this reader cannot work here. */
  bool (*open)(const host_completer *completer, bool paste);

  /* A line without its newline; it lives until the next call. Otherwise the cursor is at
  ** the beginning of a new line. */
  reading (*read)(const char *prompt, const char **line, size_t *length);

  void (*add_history)(const char *entry);
  void (*close)(void);

  /* Keys that another has read from the terminal, to be read before those that follow;
  ** NULL when this reader cannot. */
  void (*give_back)(const char *keys, size_t length);
} host_reader;

extern const host_reader host_plain_reader, host_line_editor;

#endif
