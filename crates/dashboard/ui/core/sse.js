// Takes apart what `text/event-stream` delivers, in whatever pieces it comes.

/** More than any frame of an agent: what goes on without an end is no stream of events. */
const LONGEST = 64 * 1024 * 1024;

export class EventParser {
  /** `onEvent({event, data, id})` for each event, `onRetry(milliseconds)` and `onComment(text)` for the rest. */
  constructor({ onEvent, onRetry = () => {}, onComment = () => {} }) {
    this.onEvent = onEvent;
    this.onRetry = onRetry;
    this.onComment = onComment;
    this.rest = [];
    this.length = 0;
    this.lastWasReturn = false;
    this.begin();
  }

  begin() {
    this.event = "";
    this.data = [];
  }

  /** Takes the next piece of text. */
  push(text) {
    let piece = text;
    // A CR LF that is cut in two is one end of a line.
    if (this.lastWasReturn && piece.startsWith("\n")) piece = piece.slice(1);
    this.lastWasReturn = piece.endsWith("\r");
    const lines = piece.split(/\r\n|\n|\r/);
    const last = lines.pop();
    if (lines.length > 0) {
      lines[0] = this.rest.join("") + lines[0];
      this.rest = [];
      this.length = 0;
    }
    // Put together once, at the end of the line: a long one comes in many pieces.
    this.rest.push(last);
    this.length += last.length;
    if (this.length > LONGEST) throw new Error("a line of the stream has no end");
    for (const line of lines) this.take(line);
  }

  take(line) {
    if (line === "") {
      this.dispatch();
      return;
    }
    if (line.startsWith(":")) {
      this.onComment(line.slice(1).trim());
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.id = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.onRetry(Number(value));
  }

  dispatch() {
    if (this.data.length > 0) {
      this.onEvent({ event: this.event || "message", data: this.data.join("\n"), id: this.id });
    }
    this.begin();
  }
}
