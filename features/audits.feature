Feature: What was declared is what is done
  A certificate is given for what a controller has declared. These scenarios compare the
  declaration with what happens, and what is kept with what may be kept.

  Source: PSP guide, Setup and session management; delivery guide, implementation
  checklist; EV guide, authorisation amount

  @must @R-PER-05 @psp
  Rule: The terminal's own time-out is the last resort, and it releases

    @S-R01
    Scenario: The terminal is set up to release what everybody has forgotten
      Given the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then forgotten sessions will be released, and no charge is cut short

  @should @R-PER-08 @R-UI-07
  Rule: The life of a session can be read afterwards, and no card number with it

    @S-R03
    Scenario: One driver pays and one walks away
      Given the driver is charging at connector 1
      And the second driver has been authorised
      And the driver has unplugged at connector 1
      When 310 seconds pass
      Then every session can be traced from the card to its close
      And no card number has been said or written

  @must @R-AMT-01 @R-GOL-04
  Rule: Amount and windows are the declared ones

    @S-R04
    Scenario: The reservation is the declared one
      Given the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then every reading of cards asks for the declared amount
      And the driver's session is committed within 10 seconds

    @S-R04
    Scenario: A driver has the declared window to plug in
      When the driver taps and is authorised
      Then the driver's session stays open until the plug-in window ends
      And the driver's session is closed once the plug-in window ends

    @S-R04
    Scenario: A vehicle has the declared window to draw
      Given the driver comes with the sleepy
      And the driver has been authorised
      When the driver plugs in at connector 1
      Then the driver's session stays open until the no-energy window ends
      And the driver's session is closed once the no-energy window ends

    @S-R04
    Scenario: A lost charger is waited for as long as declared
      Given the driver is charging at connector 1
      When the link to the charger is lost
      Then the driver's session stays open until the charger-loss window ends
      And the driver's session is closed once the charger-loss window ends

  @must @R-PER-04 @p6x
  Rule: What is open is closed, never wiped

    @S-R08
    Scenario: Sessions of an earlier life are found when the controller starts
      Given the terminal holds three sessions of an earlier life
      When the controller dies and starts again
      Then every session is closed within 60 seconds
      And no session has been wiped from the terminal
