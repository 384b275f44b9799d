// The frame of every page that is written: no script, no fonts, no network, light and dark by what the reader's system
// says, and nothing wider than a telephone. The answer stands first, then facts, then whatever the page is about.

public import Core

public enum Page {
  /// Up to the beginning of the page's own matter.
  ///
  /// - Parameter answer: colours the head: ok, watch, drift, insufficient, pass, inconclusive, fail.
  public static func open(
    title: String, answer: String, heading: String, lead: String, to output: OutputBuffer
  ) {
    output.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
    output.append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
    output.append("<title>\(title.escapedXML)</title><style>\(style)</style></head>" as String)
    output.append("<body><header class=\"\(answer)\"><h1>\(heading.escapedXML)</h1><p>" as String)
    output.append(lead.escapedXML)
    output.append("</p></header><main>")
  }

  /// Names and what stands under them.
  public static func append(_ facts: [(String, String)], to output: OutputBuffer) {
    output.append("<dl>")
    for (name, value) in facts {
      output.append("<div><dt>\(name)</dt><dd>\(value.escapedXML)</dd></div>" as String)
    }
    output.append("</dl>")
  }

  /// The end of the page.
  public static func close(footer: String, to output: OutputBuffer) {
    output.append("<footer>\(footer.escapedXML)</footer></main></body></html>\n" as String)
  }

  private static let style = """
    :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#636c76;--line:#d5dae0;--old:#c3cad2;--new:#0b66c3;\
    --s0:#0b66c3;--s1:#b35900;--s2:#7b3fb5;--s3:#1a7f37;--s4:#b0246b;--s5:#636c76;\
    --ok:#1a7f37;--watch:#9a6700;--drift:#cf222e;--insufficient:#636c76}\
    @media(prefers-color-scheme:dark){:root{--bg:#0f1318;--fg:#e3e8ee;--dim:#919aa5;--line:#2b323b;--old:#47505b;\
    --new:#58a6ff;--s0:#58a6ff;--s1:#f0983e;--s2:#bc8cff;--s3:#3fb950;--s4:#ff7eb6;--s5:#919aa5;\
    --ok:#3fb950;--watch:#d29922;--drift:#ff7b72;--insufficient:#919aa5}}\
    *{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;\
    overflow-wrap:anywhere}header{padding:20px 16px;border-top:8px solid var(--v);border-bottom:1px solid var(--line)}\
    header,main{max-width:980px;margin:0 auto}main{padding:0 16px}h1{margin:0;color:var(--v);font-size:30px}\
    header p{margin:4px 0 0}.ok{--v:var(--ok)}.watch{--v:var(--watch)}.drift{--v:var(--drift)}\
    .insufficient{--v:var(--insufficient)}\
    .pass{--v:var(--ok)}.inconclusive{--v:var(--watch)}.fail{--v:var(--drift)}b{color:var(--v)}h2{font-size:18px;margin:0}\
    h2 b{font-size:13px;margin-left:6px}dl{display:flex;flex-wrap:wrap;gap:8px 28px}dt{color:var(--dim);font-size:12px}\
    dd{margin:0}.wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}\
    th,td{padding:3px 14px 3px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}\
    th{color:var(--dim);font-weight:500}a{color:inherit}section{padding:18px 0;border-top:1px solid var(--line)}\
    section p{margin:2px 0}.dim,figcaption,footer{color:var(--dim);font-size:13px}\
    .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(280px,100%),1fr));gap:14px 24px;margin-top:10px}\
    figure{margin:0;min-width:0}figcaption{display:flex;justify-content:space-between;gap:12px}\
    svg{width:100%;height:90px;display:block;border-bottom:1px solid var(--line)}svg{overflow:visible}\
    .old{fill:var(--old)}.new{fill:none;stroke:var(--new);stroke-width:1.6}\
    .oldline{fill:none;stroke:var(--dim);stroke-width:1.4}footer{padding:18px 0 40px}.wide{margin-bottom:24px}\
    .chart{height:auto;border:0;overflow:hidden}.chart text{fill:var(--dim);font-size:11px}\
    .grid{stroke:var(--line);stroke-width:1}.line{fill:none;stroke:var(--s);stroke-width:1.6}\
    .mark{fill:var(--s)}.open{fill:var(--bg);stroke:var(--s);stroke-width:1.4}.bar{fill:var(--s)}\
    .s0{--s:var(--s0)}.s1{--s:var(--s1)}.s2{--s:var(--s2)}.s3{--s:var(--s3)}.s4{--s:var(--s4)}.s5{--s:var(--s5)}.s6{--s:var(--line)}\
    .key{flex-wrap:wrap;justify-content:flex-start;gap:0 12px}.figures td,.figures th{white-space:nowrap}.key i{display:inline-block;width:10px;height:10px;\
    background:var(--s);margin-right:5px}figure h3{font-size:14px;font-weight:500;margin:0 0 4px}
    """
}
