Feature: The line to the terminal fails
  A cable is pulled, a connection breaks, the payment cloud loses the terminal. Lines come
  back, and what was owed before is settled then.

  Source: PSP guide, time-outs and communication set-up; EV guide, error scenarios

  @must @cps @R-TRM-04 @R-RTY-01
  Rule: What the cloud cannot bring to the terminal waits for its return

    @S-H03
    Scenario: The terminal is offline when the driver leaves
      Given the driver is charging at connector 1
      And the terminal is offline in the payment cloud
      And the driver has unplugged at connector 1
      And 3 minutes have passed
      When the terminal is online again in the payment cloud
      Then the driver's session is committed within 75 seconds

  # Whether the cloud tells is a webhook whose form nobody has published; registering it
  # is the controller's choice. What has to come of it is the same.
  @should @cps @R-TRM-05
  Rule: A terminal that comes back is put to use again

    @S-H04 @R-TRM-04
    Scenario: The terminal comes back, with a close still owed
      Given the driver is charging at connector 1
      And the terminal is offline in the payment cloud
      And the driver has unplugged at connector 1
      And 20 minutes have passed
      When the terminal is online again in the payment cloud
      Then every session is closed within 5 minutes
      And the terminal reads cards again within 6 minutes

    @S-H05 @R-CPS-02
    Scenario: Nobody is told that the terminal is back
      Given the station is ready
      And the terminal is offline in the payment cloud
      And news of the terminal's state is lost
      And 20 minutes have passed
      When the terminal is online again in the payment cloud
      Then the terminal reads cards again within 5 minutes

  @must @apollo @R-TRM-06 @R-RTY-09
  Rule: A close that broke off with its connection is sent again on the next one

    @S-H06
    Scenario Outline: The connection is reset <where> the commit
      Given the driver is charging at connector 1
      And the connection will be reset <where> the next Commit Session
      When the driver unplugs at connector 1
      Then the same close is sent again within 75 seconds
      And the driver's session is committed within 75 seconds

      Examples:
        | where  |
        | inside |
        | behind |

  # The first connection after a break may be used at once; after that it is the schedule.
  @should @apollo @R-RTY-04 @R-TRM-06
  Rule: A close that breaks each connection is not sent on each new one

    @S-H06
    Scenario: Five commits in a row break the connection
      Given the driver is charging at connector 1
      And the connection will be reset inside the next five commits
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 minutes

  @should @apollo @R-TRM-06 @R-RTY-06
  Rule: A connection that is dead is noticed by what is not answered on it

    # A question each 15 s, 5 s for its answer; the terminal gives up the old connection
    # 20 s after it has heard the last of it, and turns new ones away until then.
    @S-H07
    Scenario: The connection dies while nobody is served
      Given the driver is charging at connector 1
      When the connection to the terminal dies without a word
      Then the controller sets the terminal up anew within 75 seconds
      And energy still flows at connector 1

    @S-H07
    Scenario: The connection is dead when the driver leaves
      Given the driver is charging at connector 1
      And the connection to the terminal has died without a word
      When the driver unplugs at connector 1
      Then the driver's session is committed within 2 minutes

    # An Apollo may take 5 s: who gives up before drops every slow terminal.
    @S-H07
    Scenario: A slow status is no dead connection
      Given the driver is charging at connector 1
      When the answer to the next Get Status takes 4 seconds
      Then the controller does not set the terminal up anew
      And the driver's session stays open

  @must @apollo @R-TRM-07
  Rule: A terminal that has hung up on a silent line is called again

    @S-H08
    Scenario: Nothing reaches the terminal for 25 seconds
      Given the driver is charging at connector 1
      When the terminal hears nothing for 25 seconds, and hangs up
      Then the controller sets the terminal up anew within 75 seconds
      And energy still flows at connector 1
      And the driver's session stays open

  @should @psp @R-TRM-06 @R-RTY-01
  Rule: A line that comes back after a long time still settles what is owed

    @S-H09
    Scenario: The cable is cut for an hour, and the driver leaves meanwhile
      Given the driver is charging at connector 1
      And the cable to the terminal has been cut
      And the driver has unplugged at connector 1
      And 60 minutes have passed
      When the cable to the terminal is mended
      Then the driver's session is committed within 2 minutes

  @must @psp @R-TRM-09 @R-PSP-04
  Rule: A terminal that is not in a state for closes is brought to one first

    @S-H10
    Scenario Outline: The terminal is <state> when the commit comes
      Given the driver is charging at connector 1
      And the terminal will be <state> when the next Commit Session comes
      When the driver unplugs at connector 1
      Then the driver's session is committed within 90 seconds
      And the controller sets the terminal up anew within 90 seconds

      Examples:
        | state   |
        | offline |
        | online  |
