Feature: The terminal fails
  A terminal restarts, is not ready or breaks down. It keeps the sessions that it has
  opened, and the controller still owes each of them its end.

  Source: PSP guide, set-up and session management; EV guide, error scenarios

  @must @R-TRM-08 @R-PER-01
  Rule: Sessions from before a restart of the terminal are still closed

    @S-F01
    Scenario: The terminal restarts before the driver plugs in
      Given the driver has been authorised
      And the terminal has restarted
      And the driver has plugged in at connector 1
      And 1 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 20 seconds

    @S-F01 @R-NOS-02
    Scenario: The terminal restarts, and the driver walks away
      Given the driver has been authorised
      And the terminal has restarted
      When 5 minutes pass
      Then the driver's session is released within 310 seconds

    # On a serial cable the close may be what finds the terminal restarted; without a
    # reason in its refusal it is sent again after a minute.
    @S-F02
    Scenario: The terminal restarts during the charge, and the driver leaves
      Given the driver is charging at connector 1
      And the terminal has restarted
      When the driver unplugs at connector 1
      Then the driver's session is committed within 90 seconds

    # A close that is sent to a starting terminal may wait a minute for its answer, and
    # is then sent again.
    @S-F02
    Scenario: The driver leaves while the terminal starts
      Given the driver is charging at connector 1
      And the terminal is restarting
      When the driver unplugs at connector 1
      Then the driver's session is committed within 90 seconds

  @must @R-TRM-08 @R-STP-08
  Rule: A terminal that has restarted reads cards again, and no charge ends for it

    # On a serial cable nobody is told of a restart; two minutes are the next question.
    @S-F02
    Scenario: The terminal restarts during the charge
      Given the driver is charging at connector 1
      When the terminal restarts
      Then the terminal reads cards again within 3 minutes
      And energy still flows at connector 1
      And the driver's session stays open

  @must @R-RTY-09 @R-SES-07
  Rule: A close that a restart has swallowed is sent again, and nothing else is

    @S-F03
    Scenario: The terminal restarts while the commit is under way
      Given the payment cloud keeps no closes for a terminal that is away
      And the driver is charging at connector 1
      And the terminal will restart as it works on the next commit
      When the driver unplugs at connector 1
      Then the same close is sent again within 90 seconds
      And the driver's session is committed within 90 seconds

    @S-F03 @psp
    Scenario: The terminal restarts before it sees the commit
      Given the driver is charging at connector 1
      And the terminal will restart before it sees the next commit
      When the driver unplugs at connector 1
      Then the same close is sent again within 90 seconds
      And the driver's session is committed within 90 seconds

  @should @psp @R-PSP-04 @R-RTY-01
  Rule: A terminal that is not ready is asked again later

    @S-F04
    Scenario: The terminal is not ready for two minutes
      Given the driver is charging at connector 1
      And the terminal is not ready for 2 minutes
      When the driver unplugs at connector 1
      Then the driver's session is committed within 190 seconds

  @must @R-STP-08
  Rule: Cards are read all the time

    @S-F05 @R-TRM-12 @apollo
    Scenario: The reader stops without a word, and the next question finds it
      Given the driver is charging at connector 1
      When the terminal stops reading without a word
      Then the terminal reads cards again within 25 seconds

    @S-F05 @R-TRM-12 @p6x
    Scenario: The reader stops without a word on a serial cable
      Given the driver is charging at connector 1
      When the terminal stops reading without a word
      Then the terminal reads cards again within 3 minutes

    @S-F06 @R-PSP-07 @psp
    Scenario: Every reading ends after a minute
      Given the terminal ends every reading after 60 seconds, and says so
      And the station is ready
      When 5 minutes pass
      Then the terminal is never idle for more than 3 seconds

  @must @R-RTY-05
  Rule: A terminal that stays away is an operator's business, and its sessions wait

    # "Replaced" is a terminal that comes back with its memory. One without it knows no
    # session, and what is held under it can only be settled by its owner. Whether the
    # charge goes on meanwhile is nobody's promise; it is billed either way.
    @S-F07
    Scenario: The terminal breaks down during the charge
      Given the payment cloud keeps no closes for a terminal that is away
      And the driver is charging at connector 1
      And the terminal is out of order
      When the driver unplugs at connector 1
      Then the controller raises the alarm close failed within 10 minutes

    @S-F07 @R-TRM-08 @R-TRM-04
    Scenario: The terminal is repaired after two hours
      Given the driver is charging at connector 1
      And the terminal is out of order
      And the driver has unplugged at connector 1
      And 2 hours have passed
      When the terminal is repaired
      Then the driver's session is committed within 5 minutes

  @must @psp @R-PER-05
  Rule: The terminal's own time-out is a net for what is forgotten, not a way to charge

    # Every Setup of every scenario is judged: action, and time against the windows.
    @S-F08
    Scenario: The terminal is set up anew while a session is open
      Given the driver is charging at connector 1
      And the terminal has restarted
      When the driver unplugs at connector 1
      Then the driver's session is committed within 90 seconds
      And forgotten sessions will be released, and no charge is cut short

    @S-F09 @R-PSP-04
    Scenario Outline: The terminal has <ended> the session before the driver leaves
      Given sessions are <ended> by the terminal itself after 1 minute
      And the driver is charging at connector 1
      And the terminal has ended the driver's session by itself
      When the driver unplugs at connector 1
      Then the controller raises an alarm within 60 seconds

      Examples:
        | ended             |
        | released          |
        | committed in full |
