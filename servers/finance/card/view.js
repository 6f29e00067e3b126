// Shows one answer of finance as a card. Everything is put in as text nodes: what a customer, a
// product or a message is called can never become markup. No sum is made here: the amounts are
// finance's, in integer minor units, and only get their separators.
"use strict";

const GIVEN = JSON.parse(document.getElementById("given").textContent);
const FEW = 12; // more lines than this are folded
const SEVERITIES = {
  info: "note", warning: "warning", error: "error", needs_human: "needs a person", blocked: "blocked",
};
let locale = "en-GB";
let shown = null;

function speak(wanted) {
  try {
    locale = Intl.getCanonicalLocales(wanted)[0] || locale;
  } catch {
    // an unknown language: the one we have will do
  }
}

// --- words and numbers

function grouped(whole) {
  return new Intl.NumberFormat(locale, { numberingSystem: "latn" }).format(BigInt(whole));
}

function decimal(text) {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!found) return text;
  const parts = new Intl.NumberFormat(locale, { numberingSystem: "latn" }).formatToParts(1.5);
  const point = parts.find((part) => part.type === "decimal").value;
  return (found[1] ? "−" : "") + grouped(found[2]) + (found[3] ? point + found[3] : "");
}

// An integer with its decimal point moved, as text: no float comes near an amount.
function shifted(count, digits) {
  const figures = String(Math.abs(count)).padStart(digits + 1, "0");
  const cut = figures.length - digits;
  return (count < 0 ? "-" : "") + figures.slice(0, cut) + (digits ? `.${figures.slice(cut)}` : "");
}

function amount(minor, currency) {
  if (minor === null || minor === undefined) return "–";
  const digits = GIVEN.digits[currency];
  return digits === undefined ? `${grouped(minor)} minor units` : decimal(shifted(minor, digits));
}

function money(minor, currency) {
  return minor === null || minor === undefined ? "–" : `${amount(minor, currency)}\u00a0${currency}`;
}

function unitPrice(price, currency) {
  if (price === null || price === undefined) return "–";
  const [whole, part = ""] = price.split(".");
  const digits = Math.max(GIVEN.digits[currency] || 0, part.replace(/0+$/, "").length);
  return decimal(digits ? `${whole}.${part.padEnd(digits, "0").slice(0, digits)}` : whole);
}

function day(stamp) {
  if (!stamp) return "–";
  const [year, month, date] = stamp.slice(0, 10).split("-").map(Number);
  const style = { dateStyle: "long", timeZone: "UTC" };
  return new Intl.DateTimeFormat(`${locale}-u-ca-gregory-nu-latn`, style).format(Date.UTC(year, month - 1, date));
}

function country(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "region" }).of(code);
  } catch {
    return code;
  }
}

function quantity(count, unit) {
  const [one, many] = GIVEN.units[unit] || [unit, unit];
  return `${decimal(String(count))}\u00a0${count === 1 ? one : many}`;
}

function plainRate(rate) {
  return decimal(rate.includes(".") ? rate.replace(/\.?0+$/, "") : rate);
}

function words(code) {
  const spaced = code.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function taxWords(tax, seller) {
  const said = GIVEN.tax[tax.category] || tax.category;
  return said.replace("VAT", tax.name || GIVEN.levies[seller && seller.country] || "VAT").replace("{rate}", plainRate(tax.rate));
}

// --- elements

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// Outside text: it may be right to left, and may not turn the letters around by hand.
const said = (text) => el("bdi", null, text.replace(/[\u202a-\u202e\u2066-\u2069]/g, ""));
const soft = (...children) => el("span", { class: "soft" }, ...children);
const code = (text) => el("code", null, text);

function section(title, className, ...children) {
  return el("section", { class: className }, el("h2", null, title), ...children);
}

function fold(title, fill, className) {
  const body = el("div", { class: "inside" });
  const folded = el("details", { class: className }, el("summary", null, title), body);
  folded.addEventListener("toggle", () => {
    if (folded.open && !body.firstChild) body.append(...fill());
  });
  return folded;
}

// --- the parts of the card

function header(quote) {
  const over = ["issued", "superseded", "expired", "withdrawn"].includes(quote.status);
  const number = quote.number || (over ? "No number" : "Draft");
  const status = quote.view === "customer" && !over ? "Not an offer" : words(quote.status);
  return el("header", null,
    el("div", { class: "who" },
      el("p", { class: "over" }, quote.seller ? said(quote.seller.legal_name) : "Quote"),
      el("h1", null, quote.customer ? said(quote.customer.legal_name) : quote.quote_id)),
    el("div", { class: "which" },
      el("p", { class: "number" }, number),
      el("p", { class: "marks" },
        status === number ? null : el("span", { class: `badge ${quote.status}` }, status),
        quote.view === "internal" ? el("span", { class: "badge house" }, "Internal") : null,
        quote.revision ? soft(`Revision ${quote.revision}`) : null),
      quote.replaces ? el("p", { class: "soft" }, `replaces ${quote.replaces}`) : null));
}

function place(address) {
  const town = [address.postal_code, address.city].filter(Boolean).join(" ");
  return [...address.lines, town, country(address.country)].filter(Boolean).flatMap((part, i) => [i ? ", " : null, said(part)]);
}

function facts(quote) {
  const total = quote.totals ? quote.totals.total_minor : quote.total_minor;
  const rows = [
    quote.valid_until ? ["Valid until", day(quote.valid_until)]
      : quote.lines ? ["Validity", "counts from the day of issue"] : null,
    quote.issued_on || quote.issued_at ? ["Issued", day(quote.issued_on || quote.issued_at)] : null,
    quote.order_date ? ["Prices of", day(quote.order_date)] : null,
    quote.payment_terms ? ["Payment", quote.payment_terms.description] : null,
    quote.ship_to ? ["Ship to", place(quote.ship_to)] : null,
    quote.delivery_terms ? ["Delivery", said(quote.delivery_terms)] : null,
  ].filter(Boolean);
  return el("div", { class: "facts" },
    quote.currency ? el("p", { class: "total" }, soft(quote.totals ? "Total with tax" : "Total"), el("b", null, money(total, quote.currency))) : null,
    el("dl", null, rows.map(([term, value]) => el("div", null, el("dt", null, term), el("dd", null, value)))));
}

function allowances(list, currency) {
  return list.map((less) => el("div", { class: "less" },
    el("span", null, said(less.label), less.percent ? ` ${plainRate(less.percent)}%` : null), " ",
    el("span", { class: "amount" }, `−${amount(less.amount_minor, currency)}`)));
}

function beside(line, lines) {
  if (line.alternative_of) {
    const other = lines.find((one) => one.line_id === line.alternative_of);
    return `Alternative to ${other ? other.position : line.alternative_of}`;
  }
  return line.optional ? "Option" : null;
}

function lineRows(line, quote, folded) {
  const mark = beside(line, quote.lines);
  const cell = (label, className, ...children) =>
    el("td", { role: "cell", "data-label": label, class: className }, ...children);
  const term = line.term_months
    ? `${line.term_months} months${line.start ? ` from ${day(line.start)}` : ""}${line.end ? ` to ${day(line.end)}` : ""}` : null;
  const off = line.tax_inclusive
    ? [...line.allowances, { label: "Tax in the price", percent: null, amount_minor: line.included_tax_minor }]
    : line.allowances;
  const row = el("tr", { role: "row", class: `line${mark ? " beside" : ""}${folded ? " folded" : ""}` },
    cell("", "n pos", String(line.position)),
    el("th", { role: "rowheader", scope: "row", class: "item" },
      said(line.name), " ", code(line.sku),
      mark ? el("span", { class: "mark" }, `${mark}, not in the total`) : null,
      line.description ? el("div", { class: "soft" }, said(line.description)) : null,
      term ? el("div", { class: "soft" }, term) : null),
    cell("Quantity", "n", quantity(line.quantity, line.unit)),
    cell("Unit price", "n", unitPrice(line.unit_price, quote.currency)),
    cell("Allowances", `n${off.length ? "" : " none"}`, allowances(off, quote.currency)),
    cell(`Net ${quote.currency}`, "n net", amount(line.net_minor, quote.currency)));
  const steps = (quote.view === "internal" && quote.trace || []).filter((step) => step.line_id === line.line_id);
  if (!steps.length) return [row];
  const why = el("td", { role: "cell", colspan: "6" }, fold("What changed this price", () => trace(steps)));
  return [row, el("tr", { role: "row", class: `why${folded ? " folded" : ""}` }, why)];
}

function lines(quote) {
  const heads = ["#", "Item", "Quantity", "Unit price", "Allowances", `Net ${quote.currency}`].map((title, i) =>
    el("th", { role: "columnheader", scope: "col", class: i === 1 ? null : "n" }, title));
  const many = quote.lines.length > FEW + 2;
  const rows = quote.lines.flatMap((line, i) => lineRows(line, quote, many && i >= FEW));
  const table = el("table", { role: "table", class: "lines" },
    el("caption", null, `Lines, prices in ${quote.currency}${quote.lines.some((line) => line.tax_inclusive) ? "" : " without tax"}`,
      quote.next_line ? `; those from ${quote.next_line} on are in get_quote with from_line ${quote.next_line}` : null),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads)),
    el("tbody", { role: "rowgroup" }, rows));
  if (!many) return table;
  const more = el("button", { type: "button", class: "more", "aria-expanded": "false" }, `Show all ${quote.lines.length} lines`);
  more.addEventListener("click", () => {
    const open = table.classList.toggle("whole");
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? "Show fewer lines" : `Show all ${quote.lines.length} lines`;
  });
  return el("div", null, table, more);
}

function totals(quote) {
  const { currency, freight } = quote;
  const row = (label, minor, className, ...notes) => el("tr", { class: className },
    el("th", { scope: "row" }, label, ...notes), el("td", { class: "n" }, money(minor, currency)));
  const payable = quote.totals.payable_minor ?? null;
  const weight = freight.weight_g ? `, ${plainRate(shifted(freight.weight_g, 3))}\u00a0kg` : "";
  return el("table", { class: "totals" },
    el("caption", null, "Totals"),
    el("tbody", null,
      row("Lines", quote.totals.lines_minor),
      row("Freight", freight.net_minor, null, " ", soft(said(freight.label), weight), allowances(freight.allowances, currency)),
      (quote.charges || []).map((one) => row(said(one.label), one.net_minor)),
      row("Net", quote.totals.net_minor, "sum"),
      quote.taxes.map((tax) => row(taxWords(tax, quote.seller), tax.tax_minor, null, " ",
        soft(`on ${money(tax.taxable_minor, currency)}`), tax.note ? el("div", { class: "soft" }, tax.note) : null)),
      row("Total", quote.totals.total_minor, "grand"),
      payable === null ? null : row("Rounding", quote.totals.rounding_minor),
      payable === null ? null : row("To pay", payable, "grand")));
}

function trace(steps) {
  return [el("ol", { class: "trace" }, steps.map((step) => {
    const before = step.before !== null && step.before !== step.after ? `${decimal(step.before)} → ` : "";
    return el("li", null,
      el("b", null, words(step.step)),
      el("span", { class: "amount" }, step.after === null ? "" : before + decimal(step.after)),
      el("div", null, step.note ? said(step.note) : null,
        el("div", { class: "soft" }, code(step.rule_id), step.source && step.source !== step.rule_id ? [" ", said(step.source)] : null),
        step.lost.map((lost) => el("div", { class: "soft" }, "passed over: ", said(lost)))));
  }))];
}

// What it waits for, and who may decide. There is no button, on purpose: a named person decides,
// and a card in a conversation cannot know who is clicking.
function waits(quote) {
  const next = quote.next_step || { waits_for: "nothing", decisions: [], people: [] };
  const asked = quote.approvals && quote.approvals.length ? quote.approvals : quote.approvals_needed || [];
  if (!asked.length && next.waits_for === "nothing") return null;
  const open = asked.filter((one) => !one.status || one.status === "pending").length;
  const title = next.waits_for === "issue" ? "Waits to be issued" : !open ? "Decisions"
    : `${next.waits_for === "request_approval" ? "Needs" : "Waits for"} ${open === 1 ? "a decision" : `${open} decisions`}`;
  const where = {
    request_approval: "Nobody was asked yet: request_approval comes first. Then only a named person can decide, at a terminal of the house; nothing in this card can.",
    decision: "Only a named person can decide, at a terminal of the house; nothing in this card can.",
    issue: "It binds nobody until it is issued. A person does that at a terminal of the house.",
  }[next.waits_for];
  return section(title, `waits${next.waits_for === "nothing" ? "" : " open"}`,
    asked.length ? el("ul", null, asked.map((one) => approval(one, next))) : null,
    where ? el("p", { class: "soft" }, where) : null);
}

function approval(one, next) {
  const open = next.decisions.find((other) => other.rule_id === one.rule_id && other.role === one.role);
  const may = open && ["pending", undefined].includes(one.status) ? open.people.map((person) => person.name).join(", ") || "nobody on file" : null;
  const by = one.decided_by ? `by ${one.decided_by}, ${day(one.decided_at)}`
    : one.status === "pending" ? `until ${day(one.expires_at)}` : null;
  return el("li", null,
    el("span", { class: `badge ${one.status || "draft"}` }, words(one.status || "not asked yet")),
    el("div", null, el("b", null, words(one.role)), by ? [" ", soft(by)] : null,
      el("div", null, said(one.reason)),
      may ? el("div", { class: "soft" }, "May decide: ", said(may)) : null,
      one.note ? el("div", { class: "soft" }, said(one.note)) : null));
}

function findings(quote) {
  if (!quote.findings || !quote.findings.length) return null;
  const items = quote.findings.map((one) => el("li", { class: one.severity },
    el("span", { class: "badge" }, words(SEVERITIES[one.severity] || one.severity)),
    el("div", null, said(one.message), " ", code(one.code), one.subject ? [" ", soft(said(one.subject))] : null,
      one.evidence.map((fact) => el("div", { class: "soft" }, said(fact))),
      one.fix ? el("div", { class: "soft" }, "To mend: ", said(one.fix)) : null)));
  return section("Findings", "findings", el("ul", null, items));
}

function terms(quote) {
  const count = quote.clauses.length;
  return el("div", { class: "terms" },
    fold(`Terms: ${quote.payment_terms.code} and ${count} ${count === 1 ? "clause" : "clauses"}`, () =>
      quote.clauses.map((clause) => el("div", { class: "clause" }, el("h3", null, said(clause.title)), el("p", null, said(clause.text))))),
    el("p", { class: "soft" }, quote.notice));
}

function house(quote) {
  const whole = quote.trace.filter((step) => !step.line_id);
  const margin = quote.margin ? `margin ${plainRate(shifted(quote.margin.margin_bp, 2))}%` : null;
  const made = [quote.opportunity_id, quote.generated_by && `agents played by ${quote.generated_by}`, `created ${day(quote.created_at)}`, margin];
  return el("footer", null,
    whole.length ? fold("How freight and the total came about", () => trace(whole)) : null,
    quote.withdrawn_reason ? el("p", null, "Withdrawn: ", said(quote.withdrawn_reason)) : null,
    el("p", { class: "soft" }, code(quote.quote_id), " · ", made.filter(Boolean).join(" · ")),
    el("p", { class: "soft digest" }, "digest ", code(quote.digest)));
}

const failed = (why) => el("p", { class: "problem", role: "alert" }, why);

function parts(quote) {
  if (quote.problem) return [failed(quote.problem)];
  if (!quote.quote_id || !quote.status) return [failed("The answer holds no quote.")];
  const mine = quote.view !== "customer"; // what the customer may see has no inside to show
  const top = [header(quote), facts(quote), mine ? waits(quote) : null];
  if (!quote.lines) {
    const hint = el("p", { class: "soft" }, "get_quote shows its lines. ", code(quote.quote_id));
    return [...top, findings(quote), hint];
  }
  return [...top, lines(quote), totals(quote), mine ? findings(quote) : null, terms(quote), mine ? house(quote) : null];
}

// --- what the bridge calls

function show(quote) {
  shown = quote;
  const card = document.getElementById("card");
  try {
    card.replaceChildren(...parts(quote).filter(Boolean));
  } catch (problem) {
    card.replaceChildren(failed("The card cannot show this answer; its text says the same."));
    console.error(problem);
  }
  card.removeAttribute("aria-busy");
  document.title = quote.number ? `Quote ${quote.number}` : "Quote";
}

function again() {
  if (shown) show(shown);
}

function wait(asked) {
  if (shown) return;
  const which = typeof asked.quote_id === "string" ? ` ${asked.quote_id}` : "";
  const line = el("p", { class: "waiting", role: "status" }, `Waiting for the quote${which}`);
  document.getElementById("card").replaceChildren(line);
}
