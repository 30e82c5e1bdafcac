Feature: The controller dies
  A controller can lose its power between any two things that it does. What it had sent
  is sent, what it had not written down is forgotten, and the money is settled once all
  the same.

  Source: EV guide, error scenarios and session management; PSP guide, session management

  @must @R-TRM-08 @R-PSP-05 @R-CPS-03
  Rule: A controller that dies before an authorisation leaves nothing behind

    @S-J01
    Scenario: The controller dies after it has asked for a card
      Given the driver pays with the declined card
      And the controller dies for 5 seconds after its next request for a card
      And the driver has tapped
      When 60 seconds pass
      Then the terminal is ready for the next card
      And no session is opened

    @S-J02
    Scenario: The controller dies between the card and the authorisation
      Given the controller dies for 5 seconds before its next authorisation
      When the driver taps
      Then no session is opened
      And the terminal is ready for the next card

  @must @R-PER-02 @R-RTY-07
  Rule: An approval that a controller cannot remember is looked for

    @S-J03 @p6x @cps
    Scenario: The controller dies before the answer, and the session can be looked up
      Given the controller dies for 1 minute after its next authorisation
      When the driver taps
      Then the driver's session is released within 6 minutes

    @S-J03 @apollo
    Scenario: The controller dies before the answer, and the session cannot be looked up
      Given nobody could know of the session
      And the controller dies for 30 seconds after its next authorisation
      When the driver taps
      Then the controller raises the alarm unknown outcome

    @S-J04 @R-PER-03 @p6x @cps
    Scenario: The approval is not written down, and the session can be looked up
      Given the controller dies for 1 minute before it has written the approval down
      When the driver taps
      Then the driver's session is released within 6 minutes

    @S-J04 @apollo
    Scenario: The approval is not written down, and the session cannot be looked up
      Given nobody could know of the session
      And the controller dies for 30 seconds before it has written the approval down
      When the driver taps
      Then the controller raises the alarm unknown outcome

  @must @R-NOS-01 @R-PER-01
  Rule: An approval that is written down is used or released in its time

    @S-J05
    Scenario: The controller dies once the approval is written down
      Given the controller dies for 1 minute after it has written the approval down
      When the driver taps
      Then the driver's session is released within 310 seconds

    @S-J05
    Scenario: The controller dies while a vehicle takes no energy
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the controller dies and starts again
      Then the driver's session is released within 310 seconds

    @S-J05
    Scenario: The controller dies before it lets energy flow
      Given the controller dies for 1 minute before its next start
      And the driver has been authorised
      And the driver has plugged in at connector 1
      And 90 seconds have passed
      When the driver unplugs at connector 1
      Then every session is closed within 60 seconds

    @S-J05 @R-FLT-07
    Scenario: Energy flows, and the controller dies before it hears of it
      Given the controller dies for 10 minutes after its next start
      And the driver has been authorised
      And the driver has plugged in at connector 1
      And 60 seconds have passed
      When the driver unplugs at connector 1
      Then every session is closed within 12 minutes

  @must @R-RTY-03 @R-RTY-09 @R-SES-09
  Rule: A close that is owed is sent after a death, and is the same close

    # A minute for a controller that is back, and what it was away.
    @S-J08
    Scenario Outline: The controller dies for <time> before it sends the commit
      Given the driver is charging at connector 1
      And the controller dies for <time> before its next commit
      When the driver unplugs at connector 1
      Then the driver's session is committed within <limit>

      Examples:
        | time     | limit       |
        | 1 second | 75 seconds  |
        | 1 minute | 130 seconds |
        | 1 hour   | 62 minutes  |

    # Nobody can keep the schemes' 24 hours who has no power for longer.
    @S-J08 @R-EXT-01
    Scenario: The controller dies for two days before it sends the commit
      Given the outage outlasts the 24 hours of a reversal
      And the driver is charging at connector 1
      And the controller dies for 2 days before its next commit
      When the driver unplugs at connector 1
      Then the driver's session is committed within 2.1 days

    @S-J08 @R-NOS-01
    Scenario: The controller dies before it sends the release
      Given the plug-in window is 60 seconds
      And the controller dies for 1 minute before its next release
      When the driver taps
      Then the driver's session is released within 190 seconds

    @S-J09
    Scenario: The controller dies before the answer to its commit
      Given the driver is charging at connector 1
      And the controller dies for 1 minute after its next commit
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the same close is sent again within 3 minutes

    @S-J09
    Scenario: The controller dies before it hears that its commit was refused
      Given the driver is charging at connector 1
      And the terminal refuses the next one close
      And the controller dies for 1 minute after its next commit
      When the driver unplugs at connector 1
      Then the same close is sent again within 3 minutes
      And the driver's session is committed within 3 minutes

    @S-J10
    Scenario: The controller dies between two attempts
      Given the driver is charging at connector 1
      And the terminal refuses the next two closes
      And the controller dies for 1 minute before its second commit
      When the driver unplugs at connector 1
      Then the driver's session is committed within 5 minutes

    @S-J10 @R-RTY-04
    Scenario: A death is no reason to begin the retries anew
      Given the driver is charging at connector 1
      And the terminal refuses every close
      And the driver has unplugged at connector 1
      And 20 minutes have passed
      When the controller dies and starts again
      Then the controller retries for 10 minutes no faster than before

  @must @R-PER-01 @R-NOS-10
  Rule: Without a memory nothing new is opened, and what is open is closed

    @S-J11
    Scenario Outline: The controller's storage is <state> at the end of a charge
      Given the driver is charging at connector 1
      And the controller's storage is <state>
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the controller raises the alarm ledger

      Examples:
        | state     |
        | full      |
        | read-only |

    @S-J11
    Scenario Outline: The controller's storage is <state> when the driver taps
      Given the controller's storage is <state>
      When the driver taps
      Then no session is opened
      And the controller raises the alarm ledger

      Examples:
        | state     |
        | full      |
        | read-only |

    # What could not be written is owed to the storage, not only to the next write.
    @S-J11 @R-RTY-03
    Scenario: The controller dies long after its storage takes writes again
      Given the driver is charging at connector 1
      And the controller's storage is full
      And the driver has unplugged at connector 1
      And 10 seconds have passed
      And the controller's storage has taken writes again for 2 minutes
      When the controller dies and starts again
      Then the controller has sent one close

    @S-J11
    Scenario: The controller's storage is damaged
      Given the driver has been authorised
      And the driver's session has been released
      And the controller's storage will be damaged when it dies
      And the controller has died and started again
      When another driver taps
      Then one session has been opened
      And the controller raises the alarm ledger

    @S-J11 @p6x @cps
    Scenario: The controller's storage is damaged while a session is open
      Given the driver has been authorised
      And the controller's storage will be damaged when it dies
      When the controller dies and starts again
      Then the driver's session is released within 60 seconds
      And the controller raises the alarm ledger

    # What has survived, or the list of the terminal or of the cloud, has to be enough.
    @S-J11 @p6x @cps
    Scenario: The last write to the storage is torn while a session is open
      Given the driver has been authorised
      And the last write to the controller's storage will be torn when it dies
      When the controller dies and starts again
      Then the driver's session is released within 310 seconds

    @S-J11
    Scenario: The last write to the controller's storage is torn
      Given the driver has been authorised
      And the driver's session has been released
      And the last write to the controller's storage will be torn when it dies
      And the controller has died and started again
      When another driver taps
      Then one session has been opened
      And the controller raises the alarm ledger

  @should @R-PER-03 @R-PER-04 @p6x
  Rule: Sessions that nobody remembers are closed, not removed

    @S-J12
    Scenario: The terminal holds more old sessions than one answer can list
      Given the terminal holds 70 sessions of an earlier life
      When the controller dies and starts again
      Then every session is closed within 5 minutes
