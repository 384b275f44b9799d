// Declarations of joins: what is refused, and how.

import TestSupport
import Testing

@testable import Core
@testable import Events
@testable import Features

@Suite struct JoinDeclarationTests {
  private static let schema = [
    EventType(
      name: "shown", idMember: "id",
      fields: [
        Field(name: "id", type: .string), Field(name: "ad", type: .string),
        Field(name: "cents", type: .integer),
      ]),
    EventType(
      name: "click", idMember: "id",
      fields: [Field(name: "shown_id", type: .string), Field(name: "user", type: .string)]),
    EventType(name: "page-view", idMember: nil, fields: [Field(name: "user", type: .string)]),
  ]

  private func declare(_ join: String, entity: String = "ad", more: String = "") -> String {
    message { () throws(Failure) in
      _ = try FeatureView(
        try ConfigNode.member(
          "{ v: { entity: ['\(entity)'], join: { \(join) }, \(more) features: { n: { count: '*' } } } }"
        ), schema: EventSchema(types: JoinDeclarationTests.schema))
    }
  }

  private static let on = "on: 'shown.id == click.shown_id', within: '30m'"
  private static let both = "left: 'shown', right: 'click'"

  @Test func acceptsWhatItShould() {
    for text in [
      "\(JoinDeclarationTests.both), \(JoinDeclarationTests.on)",
      "\(JoinDeclarationTests.both), on: ['click.shown_id == shown.id', 'id'], within: { before: '1s' }",
      "\(JoinDeclarationTests.both), on: \"(shown.cents >= 3 ? 'a=b' : '(') == click.user\", within: '1m'",
      "\(JoinDeclarationTests.both), on: \"(shown.cents == 3) == (click.user != 'it\\\\'s ==')\", within: '1m'",
      "left: 'shown', right: { from: 'click', as: 'hit', where: \"user != 'me'\" }, on: 'hit.shown_id == shown.id', within: '0s'",
    ] {
      #expect(declare(text) == "")
    }
    #expect(
      declare(
        "\(JoinDeclarationTests.both), \(JoinDeclarationTests.on)",
        more: "where: 'shown.cents > 5 && click.time - shown.time < 10.0',") == "")
  }

  @Test(
    arguments: [
      ("\(both), within: '1m'", "v.join: the key 'on' is missing"),
      ("\(both), on: 'id'", "v.join: the key 'within' is missing"),
      ("left: 'shown', \(on)", "v.join: the key 'right' is missing"),
      ("left: 'shown', right: 'clicks', \(on)", "v.join.right: no event type 'clicks' is declared"),
      ("left: 'shown', right: 'shown', \(on)", "left and right are both called 'shown'"),
      ("left: 'shown', right: 'page-view', \(on)", "'page-view' cannot be named in an expression"),
      ("\(both), within: '1m', on: 'ad'", "v.join.on: `click.ad`"),
      ("\(both), within: '1m', on: 'shown.id = click.id'", "is no condition of a join"),
      ("\(both), within: '1m', on: 'shown.id'", "'shown.id' is no condition of a join"),
      ("\(both), within: '1m', on: 'shown.id == click.id == true'", "is no condition of a join"),
      ("\(both), within: '1m', on: 'shown.id >= click.id'", "is no condition of a join"),
      ("\(both), within: '1m', on: 'shown.id == shown.ad'", "v.join.on: `shown.ad`"),
      ("\(both), within: '1m', on: \"shown.id == 'x'\"", "'x'' names no member of 'click'"),
      ("\(both), within: '1m', on: []", "expected at least one condition"),
      (
        "\(both), within: '1m', on: 'shown.cents == click.shown_id'",
        "'shown.cents' is of type int and 'click.shown_id' of type string: they would never be equal"
      ),
      ("\(both), on: 'id', within: '-1m'", "is not a duration"),
      ("\(both), on: 'id', within: {}", "expected before, after or both"),
      ("\(both), \(on), inner: true", "unknown key 'inner'"),
    ]) func refuses(_ join: String, _ expected: String)
  {
    #expect(declare(join).contains(expected), "\(declare(join))")
  }

  @Test func refusesWhatDoesNotFitTheView() {
    let join = "\(JoinDeclarationTests.both), \(JoinDeclarationTests.on)"
    #expect(declare(join, more: "from: 'shown',").contains("not from both"))
    #expect(
      declare(join, entity: "nothing").contains(
        "'nothing' is a member neither of 'shown' nor of 'click'"))
    #expect(declare(join, entity: "user") == "")
    #expect(declare(join, entity: "click.user") == "")
    #expect(declare(join, entity: "shown.ad") == "")
    #expect(declare(join, entity: "click.ad").contains("'click.ad' is a member neither of"))
    #expect(
      declare("\(join), outer: true", entity: "user").contains(
        "a 'shown' without a match would name no entity"))
    #expect(declare(join, more: "where: 'cents > 5',").contains("v.where: `cents > 5`"))
  }
}
