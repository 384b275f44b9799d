// A page in a real browser: how far right it reaches, what the console says, how well its text can be told from its
// ground. The page itself has no script; one that measures is put into a copy.

import Foundation
import TestSupport
import Testing

enum Browser {
  static let path = [
    "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
  ]
  .first { FileManager.default.isExecutableFile(atPath: $0) }

  struct Found {
    /// The rightmost edge of anything that is not scrolled in a box of its own, in pixels.
    let right: Int
    let isDark: Bool
    /// The worst contrast of a heading's, a cell's or a paragraph's text with the ground (WCAG's ratio).
    let contrast: Double
    let errors: String
  }

  private static let measuring = """
    const light=c=>{const v=c.match(/[\\d.]+/g).slice(0,3).map(x=>{x/=255;return x<=.03928?x/12.92:((x+.055)/1.055)**2.4});
    return .2126*v[0]+.7152*v[1]+.0722*v[2]};
    const ground=light(getComputedStyle(document.body).backgroundColor);
    const ratio=e=>{const a=light(getComputedStyle(e).color);return (Math.max(a,ground)+.05)/(Math.min(a,ground)+.05)};
    const texts=[...document.querySelectorAll('h1,h2,h3,p,td,th,dt,dd,b,footer,figcaption span')].filter(e=>e.textContent);
    const edges=[...document.querySelectorAll('section,dl,h1,h2,h3,p,svg,figure,.wide,footer')];
    document.title='found '+Math.max(document.body.scrollWidth,...edges.map(e=>Math.ceil(e.getBoundingClientRect().right)))
    +' '+(ground<.5)+' '+Math.min(...texts.map(ratio)).toFixed(2);
    """

  static func probe(
    _ page: String, width: Int, isDark: Bool = false, in folder: TemporaryFolder
  ) throws -> Found {
    let script =
      "<script>document.documentElement.style.width='\(width)px';\(measuring)</script></body>"
    try folder.write(page.replacing("</body>", with: script), "probe.html")
    let dark = isDark ? " --blink-settings=preferredColorScheme=0" : ""
    let outcome = try Child.bash(
      "\(try #require(path)) --headless --no-sandbox --disable-gpu --enable-logging=stderr\(dark)"
        + " --window-size=\(width),800 --user-data-dir=\"$HOME/browser\" --dump-dom file://\"$PWD/probe.html\"",
      in: folder.url, home: folder.url, seconds: 60)
    let errors = outcome.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }
    let found = try #require(
      outcome.output.firstMatch(of: #/<title>found (\d+) (true|false) ([\d.]+)</title>/#),
      "\(outcome.errors)")
    return Found(
      right: Int(found.1)!, isDark: found.2 == "true", contrast: Double(found.3)!,
      errors: errors.joined(separator: "\n"))
  }
}
