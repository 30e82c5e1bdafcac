Feature: The card issuer answers
  Issuers decline, answer late, approve a part or stay silent. Whatever they hold for a
  driver goes back or is taken, never forgotten.

  Source: PSP guide, time-outs and responses; EV guide, pre-session checklist

  @must @R-UI-05 @R-STP-08 @R-TRM-01
  Rule: A declined card gives no energy and no reasons

    @S-I01
    Scenario: The card has insufficient funds
      Given the driver pays with the insufficient funds card
      And the driver has plugged in at connector 1
      When the driver taps
      Then no session is opened
      And the driver is told declined
      And no reason of the issuer is shown
      And the terminal is ready for the next card

    @S-I02 @psp @R-RTY-07
    Scenario Outline: The issuer cannot be asked: <card>
      Given the driver pays with the <card> card
      And the driver has plugged in at connector 1
      When the driver taps
      Then no session is opened
      And no energy flows at connector 1
      And the terminal is ready for the next card

      Examples:
        | card         |
        | host timeout |
        | host error   |

  @must @R-SES-11 @R-RTY-07 @R-NOS-03 @R-MUL-01
  Rule: An approval that nobody waits for is released at once

    @S-I03
    Scenario: The approval comes after the controller has given up
      Given the driver pays with the late card
      And the driver has tapped
      When 235 seconds pass
      Then the driver's session is released within 70 seconds

    @S-I04 @sample
    Scenario: The approval comes after the driver has aborted
      Given the issuer answers after 15 seconds
      And the driver has pressed start at connector 1
      And the driver has tapped
      And 3 seconds have passed
      When the driver presses cancel at connector 1
      Then the driver's session is released within 20 seconds

    @S-I05
    Scenario: The approval comes after another driver was accepted
      Given the site has one connector
      And the driver pays with the late card
      And the driver has tapped
      And 225 seconds have passed
      When the second driver taps and is authorised
      Then the driver's session is released within 90 seconds
      And the second driver's session stays open

  @must @R-AMT-08 @R-PSP-03 @apollo
  Rule: A partial approval is a session with a lower bound

    @S-I06
    Scenario: The issuer approves a part
      Given the driver pays with the partial card
      And the driver comes with the van
      When the driver charges at connector 1
      Then energy stops at connector 1 within 2 hours
      And the driver's session is committed for at most EUR 10.00

    @S-I07
    Scenario: A partial approval whose driver never plugs in
      Given the driver pays with the partial card
      And the driver has been authorised
      When 5 minutes pass
      Then the driver's session is released within 10 seconds

  @should @R-RTY-06
  Rule: A slow approval is an approval

    @S-I08
    Scenario: The issuer answers just before the terminal gives up
      Given the issuer answers just before the terminal gives up
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then energy flows at connector 1 within 30 seconds

    # A terminal may take 60 s for a commit; who asks again before has given up too early.
    @S-I08 @psp
    Scenario: The terminal answers a commit just before its limit
      Given the driver is charging at connector 1
      And the answer to the next Commit Session takes 55 seconds
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the close is not sent again

  @must @R-RTY-07 @R-TRM-06
  Rule: An authorisation without an answer is neither approved nor declined

    @S-I09 @p6x @cps
    Scenario: The answer never arrives, and the session can be looked up
      Given the answer to the next authorisation never arrives
      And the driver has tapped
      When 4 minutes pass
      Then every session is closed within 60 seconds

    @S-I09 @apollo
    Scenario: The answer never arrives, and the session cannot be looked up
      Given the answer to the next authorisation never arrives
      And nobody could know of the session
      And the driver has tapped
      When 4 minutes pass
      Then the controller raises the alarm unknown outcome

  @should @R-AMT-04
  Rule: An attempt at more than was reserved falls back to what was reserved

    @S-I10
    Scenario: The commit is refused because it is more than was reserved
      Given the controller claims to attempt more than was reserved
      And the controller reserves EUR 2.00
      And the driver is charging at connector 1
      And 5 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed for EUR 2.00

  @must @R-RTY-01 @R-RTY-05
  Rule: A refused close is retried on schedule and reported

    @S-I11
    Scenario: The next three closes are refused
      Given the driver has been authorised
      And the terminal refuses the next three closes
      When 5 minutes pass
      Then the driver's session is released within 200 seconds

    @S-I11 @R-SES-07 @R-RTY-09
    Scenario: The next two commits are refused
      Given the driver is charging at connector 1
      And the terminal refuses the next two closes
      When the driver unplugs at connector 1
      Then the driver's session is committed within 200 seconds

    @S-I11
    Scenario: Every close is refused for three hours
      Given the driver has been authorised
      And the terminal refuses every close
      And 3 hours have passed
      When the terminal accepts closes again
      Then the driver's session is released within 61 minutes
      And the controller raises the alarm close failed
